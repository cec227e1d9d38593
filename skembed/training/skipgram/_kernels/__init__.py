"""The compiled CPU core of skip-gram, from single steps to rounds of spans."""
