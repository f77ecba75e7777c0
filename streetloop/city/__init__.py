"""The simulated city: streets, traffic and weather whose truth is known.

A view is asked for frame k and answers with the picture and with what is really in it. It keeps
nothing from frame to frame: the same (city, camera, options, seed, k) gives the same pixels and
boxes in any process and in any order.
"""
