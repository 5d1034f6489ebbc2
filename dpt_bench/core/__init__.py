"""The words of the project as types: errors, depth kinds, samples, recipes, mixes, suites, the catalog; standard library, numpy and pydantic only."""
