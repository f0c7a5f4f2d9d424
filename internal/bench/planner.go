package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/mathext"
)

// plannerParts are the lines of the table, in its order. Each can be run alone.
var plannerParts = []struct {
	name, item string
	rows       func(context.Context) ([]Row, error)
}{
	{"needle", "needle front against brute force", plannerNeedle},
	{"million", "a million needle candidates", plannerMillion},
	{"score", "resection candidates scored at L0", plannerScore},
	{"bound", "59-run bound of one plan", plannerBound},
	{"coverage", "coverage of the 95 % intervals", plannerCoverage},
	{"reinflate", "zero-pressure shapes", plannerReinflate},
	{"ircad", "liver.resection on ircad01_17", plannerIRCAD},
	{"flr", "FLR on the phantom family", plannerFLR},
	{"replay", "replay of a bundle in a second checkout", plannerReplay},
}

// plannerBench measures the "Must show" figures of the planner. A part that
// fails is a row that says so; the others are measured all the same.
//
// Parts may be named: needle, million, score, bound, coverage, reinflate,
// ircad, flr, replay.
func plannerBench(names []string) ([]Row, error) {
	var rows []Row
	for _, part := range plannerParts {
		if len(names) > 0 && !slices.Contains(names, part.name) {
			continue
		}
		start := time.Now()
		r, err := part.rows(context.Background())
		if err != nil {
			r = append(r, failedRow(part.item, "–", "see the issue", err))
		}
		fmt.Fprintf(os.Stderr, "%-12s measured in %.0f s\n", part.name, time.Since(start).Seconds())
		rows = append(rows, r...)
	}
	if rows == nil {
		return nil, fmt.Errorf("no part of the planner bench is named %v", names)
	}
	return rows, nil
}

// plannerNeedle holds the search of trajectories against the one that looks at
// everything, on random phantoms.
func plannerNeedle(context.Context) ([]Row, error) {
	m, err := goBench("planner/needle", "BenchmarkAgreement", 1, 2)
	if err != nil {
		return nil, err
	}
	const item = "needle front against brute force, 20 phantoms: "
	return []Row{
		atMost(item+"mismatches", m["mismatches"], "1", 0, "–"),
		atLeast(item+"feasible trajectories", m["feasible"], "1", 1000, "–"),
		atLeast(item+"trajectories on the fronts", m["front"], "1", 100, "–"),
	}, nil
}

// plannerMillion is the exhaustive search on a scan of full size.
func plannerMillion(context.Context) ([]Row, error) {
	const grid, cores = "512×512×120, 2 cores", 2
	maps, err := goBench("planner/needle", "BenchmarkMaps", 3, cores)
	if err != nil {
		return nil, err
	}
	m, err := goBench("planner/needle", "BenchmarkMillion", 5, cores)
	if err != nil {
		return nil, err
	}
	s := m["ns/op"] / 1e9
	return []Row{
		atMost("a million needle candidates, "+grid+": wall, distance maps apart", s, "s", 3, "Essert 2 min a case (quoted)"),
		atLeast("the same: candidates within reach of the device", m["in_reach"], "1", 1e6, "–"),
		atLeast("the same: candidates per second and core", m["in_reach"]/s/cores/1e6, "1e6/s", noFloor, "probe 0.7 (quoted)"),
		atMost("distance maps, skin and target points, "+grid+": wall", maps["ns/op"]/1e9, "s", noLimit, "–"),
	}, nil
}

// plannerCoverage counts how often the truth lies in its interval.
func plannerCoverage(context.Context) ([]Row, error) {
	m, err := goBench("planner/uncertainty", "BenchmarkCoverage", 1, 2)
	if err != nil {
		return nil, err
	}
	return coverageRows(m)
}

// Ends of the metrics of BenchmarkCoverage, each after the quantity's id: cases
// with the truth inside the interval, and mean width over that of the
// sampling reference.
const (
	coverageHits  = ":hits"
	coverageWidth = ":width"
)

// coverageRows are the rows of the metrics, in the order of the quantities' ids.
func coverageRows(m map[string]float64) ([]Row, error) {
	var rows []Row
	cases := m["cases"]
	for _, key := range slices.Sorted(maps.Keys(m)) {
		id, ok := strings.CutSuffix(key, coverageHits)
		if !ok {
			continue
		}
		hits := m[key]
		low, high := exactInterval(int(hits), int(cases), 0.99)
		share := hits / cases
		rows = append(rows,
			Row{fmt.Sprintf("%s: truth within its 95 %% interval, %.0f cases", id, cases), &share, "1", "0.95 in the exact 99 % interval",
				fmt.Sprintf("%.3f to %.3f", low, high), cases >= 400 && low <= 0.95 && 0.95 <= high},
			atMost(id+": mean width of the interval over the sampling reference", m[id+coverageWidth], "1", 1.2, "–"))
	}
	if rows == nil {
		return nil, fmt.Errorf("the coverage benchmark reports no quantity: %v", m)
	}
	return rows, nil
}

// exactInterval is the interval of Clopper and Pearson (Biometrika 26 (1934)
// 404) for the share that k of n stand for.
func exactInterval(k, n int, confidence float64) (low, high float64) {
	tail := (1 - confidence) / 2
	high = 1
	if k > 0 {
		low = mathext.InvRegIncBeta(float64(k), float64(n-k+1), tail)
	}
	if k < n {
		high = mathext.InvRegIncBeta(float64(k+1), float64(n-k), 1-tail)
	}
	return math.Max(low, 0), high
}
