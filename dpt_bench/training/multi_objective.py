"""From the losses of a batch's images, which belong to several datasets, to one gradient."""

from __future__ import annotations

from torch import Tensor


def uniform_loss(per_image: Tensor, num_images: int) -> Tensor:
    """This part's share of the mean over the `num_images` of a rank's batch, a scalar.

    With datasets drawn uniformly this is the naive mixing of MiDaS (sec. 5: equal parts of each dataset), and as ranks
    hold equally many images, the average of their gradients is that of the global batch.
    """
    return per_image.sum() / num_images
