"""Makes several workers compute the same step as one worker with their joined batches.

Two quantities of a step depend on the whole batch: mean and variance of batch normalisation, and
the normaliser of the loss. Both are summed over the workers here.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


def join_normalisation(network: nn.Module) -> None:
    """Let every batch normalisation of a network use the batches of all workers.

    torch's own `SyncBatchNorm` works on GPUs only. Needs an initialised process group.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            vars(module)["forward"] = _Joined(module)  # takes precedence over the method of the class


class _Joined:
    """The forward pass of one normalisation."""

    def __init__(self, module: nn.BatchNorm2d) -> None:
        self._module = module

    def __call__(self, x: Tensor) -> Tensor:
        module = self._module
        if not module.training:
            return nn.BatchNorm2d.forward(module, x)
        mean, variance, count = _moments(x)
        _remember(module, mean, variance * count / (count - 1).clamp(min=1))
        return _Normalise.apply(x, module.weight, module.bias, mean, variance, count, module.eps)  # type: ignore[no-any-return]


def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(C,) mean, (C,) variance and the number of values per channel, over all workers."""
    with torch.no_grad():
        channels, exact = x.shape[1], torch.float64
        count = torch.full((1,), x.numel() / channels, dtype=exact, device=x.device)
        axes = (0, 2, 3)
        total = torch.cat([x.sum(axes, dtype=exact), x.square().sum(axes, dtype=exact), count])
        dist.all_reduce(total)
        mean = total[:channels] / total[-1]
        variance = (total[channels:-1] / total[-1] - mean.square()).clamp(min=0)
    return mean, variance, total[-1]


def _remember(module: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Update the running moments for inference, as torch does."""
    running_mean, running_var, seen = (module.running_mean, module.running_var, module.num_batches_tracked)
    if running_mean is None or running_var is None or seen is None:
        return
    seen.add_(1)
    share = 1.0 / float(seen) if module.momentum is None else module.momentum
    running_mean.lerp_(mean.to(running_mean.dtype), share)
    running_var.lerp_(variance.to(running_var.dtype), share)


class _Normalise(torch.autograd.Function):
    """Ioffe and Szegedy, "Batch normalization", 2015, with the sums of its gradient joined."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        count: Tensor,
        eps: float,
    ) -> Tensor:
        """The normalised batch."""
        inverse = (variance + eps).rsqrt().to(x.dtype)
        centred = (x - _wide(mean.to(x.dtype))) * _wide(inverse)
        ctx.save_for_backward(centred, weight, inverse, count)
        return centred * _wide(weight.to(x.dtype)) + _wide(bias.to(x.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients for the batch, the weight and the bias of this worker."""
        (gradient,) = gradients
        centred, weight, inverse, count = ctx.saved_tensors
        for_bias = gradient.sum((0, 2, 3))
        for_weight = (gradient * centred).sum((0, 2, 3))
        joint = torch.stack([for_bias, for_weight]).double()
        dist.all_reduce(joint)
        along, across = (joint / count).to(gradient.dtype)
        scaled = _wide((weight * inverse).to(gradient.dtype))
        for_x = scaled * (gradient - _wide(along) - centred * _wide(across))
        return for_x, for_weight, for_bias, None, None, None, None


def _wide(channel: Tensor) -> Tensor:
    return channel[None, :, None, None]


def join_loss(criterion: Any) -> None:
    """Normalise an Ultralytics detection loss by the target scores of all workers' batches.

    Args:
        criterion: A `v8DetectionLoss`, or an object that holds several.
    """
    for part in (criterion, *vars(criterion).values()):
        if hasattr(part, "get_assigned_targets_and_loss"):
            _JoinedLoss(part)


class _JoinedLoss:
    """One loss: notes its assigner's target scores and corrects the loss's normaliser."""

    def __init__(self, loss: Any) -> None:
        self._assign = loss.assigner
        self._answer = loss.get_assigned_targets_and_loss
        self._own = torch.zeros(())
        loss.assigner = self.assign
        loss.get_assigned_targets_and_loss = self.answer

    def assign(self, *args: Any, **options: Any) -> Any:
        """See `TaskAlignedAssigner`."""
        found = self._assign(*args, **options)
        self._own = found[2].sum()  # target scores
        return found

    def answer(self, *args: Any, **options: Any) -> tuple[Any, Tensor, dict[str, Tensor]]:
        """See `v8DetectionLoss.get_assigned_targets_and_loss`."""
        targets, loss, items = self._answer(*args, **options)
        whole = self._own.clone()
        dist.all_reduce(whole)
        # A worker's loss counts once for each worker: it is averaged afterwards.
        factor = self._own.clamp(min=1) * dist.get_world_size() / whole.clamp(min=1)
        return targets, loss * factor, items
