"""`torchrun --nproc-per-node 2 -m training fit …`: the commands of `starcite train`."""

from training.cli import train

if __name__ == "__main__":
    train()
