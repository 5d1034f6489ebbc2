"""The words of the project as types: errors, depth kinds, samples, recipes, mixes, suites and the catalog."""
