"""Predict with LiteRT on the CPU."""

from collections.abc import Sequence

from workflow_scripts.engines.litert import open_model
from workflow_scripts.predict.predicting import arguments_of, write_predictions
from workflow_scripts.shared.failures import run


def main(argv: Sequence[str]) -> None:
    arguments = arguments_of(__doc__, argv)
    write_predictions(arguments, open_model(arguments.model, arguments.threads))


if __name__ == "__main__":
    run(main)
