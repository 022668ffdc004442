"""Where work runs: maps and folds over partitions; knows nothing about data-centric AI."""
