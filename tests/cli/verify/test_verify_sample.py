"""The sample is spread evenly, each unit as likely as any other, and catches as often as is said."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from pipeline.cli.verify.sample import Unit, chance, draw


def a_population(sizes):
    """Units of families, networks, data sets and seeds: family → (networks, data sets, seeds)."""
    return [Unit(family, ((f"{family}_{network}", "", f"{family}{data}", seed),), ((0.01, f"{family}{network}{data}{seed}"),))
            for family, (networks, sets, seeds) in sizes.items()
            for network in range(networks) for data in range(sets) for seed in range(seeds)]


POPULATION = a_population({"sequences": (10, 8, 5), "tables": (5, 10, 5), "images": (5, 2, 5)})


def test_a_draw_is_an_order_of_all_and_its_seed_decides_it():
    orders = [[unit.keys for unit in draw(POPULATION, seed)] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    for order in orders:
        assert sorted(order) == sorted(unit.keys for unit in POPULATION)
    assert [unit.keys for unit in draw(POPULATION[::-1], 1)] == orders[0]


@pytest.mark.parametrize("drawn", [14, 70, 200])
def test_every_beginning_has_families_and_data_sets_in_their_shares(drawn):
    for seed in range(20):
        sample = [unit for unit, _ in zip(draw(POPULATION, seed), range(drawn))]
        for level in (lambda unit: unit.family, lambda unit: (unit.family, unit.places[0][0])):
            held, whole = Counter(map(level, sample)), Counter(map(level, POPULATION))
            for name, size in whole.items():
                assert abs(held[name] - drawn * size / len(POPULATION)) <= 3, (name, seed)


def test_each_unit_is_as_likely_as_any_other():
    draws, drawn = 400, 70
    counts = Counter(unit.keys for seed in range(draws) for unit, _ in zip(draw(POPULATION, seed), range(drawn)))
    shares = np.array([counts[unit.keys] for unit in POPULATION]) / draws
    expected = drawn / len(POPULATION)
    assert np.abs(shares - expected).max() < 5 * np.sqrt(expected * (1 - expected) / draws)


@pytest.mark.parametrize(("population", "falsified", "drawn"), [(700, 1, 70), (700, 7, 70), (40, 5, 40), (40, 3, 38)])
def test_the_chance_of_catching_is_that_of_the_hypergeometric_distribution(population, falsified, drawn):
    assert chance(population, falsified, drawn) == pytest.approx(
        stats.hypergeom(population, falsified, drawn).sf(0), rel=1e-12)


def test_falsified_runs_are_caught_as_often_as_is_said():
    draws, drawn, falsified = 400, 70, 10
    generator = np.random.default_rng(0)
    caught = 0
    for seed in range(draws):
        wrong = {POPULATION[i].keys for i in generator.choice(len(POPULATION), falsified, replace=False)}
        caught += any(unit.keys in wrong for unit, _ in zip(draw(POPULATION, seed), range(drawn)))
    said = chance(len(POPULATION), falsified, drawn)
    assert abs(caught / draws - said) < 4 * np.sqrt(said * (1 - said) / draws)
