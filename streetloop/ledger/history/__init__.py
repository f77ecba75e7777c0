"""What was measured over time: how streams fared by the minute."""
