package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"halsted/fem"
	"halsted/fem/deck"
	"halsted/internal/dense"

	"gonum.org/v1/gonum/spatial/r3"
)

// dgemmGFlops is the rate of C −= A·Bᵀ of the size, best of some runs, in one
// goroutine.
func dgemmGFlops(n int, seconds float64) float64 {
	a, b, c := make([]float64, n*n), make([]float64, n*n), make([]float64, n*n)
	for i := range a {
		a[i], b[i] = float64(i%17)-8, float64(i%13)-6
	}
	var w dense.Work[float64]
	best := math.Inf(1)
	for end := time.Now().Add(time.Duration(seconds * 1e9)); time.Now().Before(end); {
		start := time.Now()
		w.Gemm(n, n, n, a, n, b, n, c, n)
		best = min(best, time.Since(start).Seconds())
	}
	return 2 * float64(n) * float64(n) * float64(n) / best / 1e9
}

func dgemmRows(string) ([]Row, error) {
	peer := "kernels " + dense.Kernel() + "; quoted, a processor with AVX-512: OpenBLAS 57, gonum 6.1"
	var rows []Row
	for _, n := range []int{240, 960} {
		limit := 48.0
		if n == 240 {
			limit = math.Inf(-1)
		}
		rows = append(rows, atLeast(fmt.Sprintf("dgemm %d, one core", n), dgemmGFlops(n, 2), "GF/s", limit, peer))
	}
	return rows, nil
}

// threadRows compares what two threads give the solver with what they give two
// independent dgemm: both share caches, memory and clock.
func threadRows(dir string) ([]Row, error) {
	const item, target = "110k neo-Hookean, two threads, part of what the machine gives", "≥ 0.85"
	if runtime.NumCPU() < 2 {
		return []Row{notMeasured(item, "1", target, "the machine has one core")}, nil
	}
	c := femCase{mesh: "liver_T10_100k", nonlinear: true}
	base, err := c.deck(dir)
	if err != nil {
		return nil, err
	}
	one, err := solveOurs(base, "1")
	if err != nil {
		return nil, err
	}
	two, err := solveOurs(base, "2")
	if err != nil {
		return nil, err
	}
	alone := dgemmGFlops(960, 2)
	var both [2]float64
	var wg sync.WaitGroup
	for i := range both {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			both[i] = dgemmGFlops(960, 2)
		})
	}
	wg.Wait()
	machine := (both[0] + both[1]) / alone
	gain := one.wallS / two.wallS
	return []Row{atLeast(item, gain/machine, "1", 0.85,
		fmt.Sprintf("wall %.1f s and %.1f s: %.2f times; two dgemm: %.2f times one", one.wallS, two.wallS, gain, machine))}, nil
}

// warmRows times a new right side on a prepared model, wall seconds.
func warmRows(dir string) ([]Row, error) {
	c := femCase{mesh: "liver_T10_30k"}
	base, err := c.deck(dir)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, threads := range []int{1, min(2, runtime.NumCPU())} {
		s, err := tryOn(threads, "warm", base+".inp")
		if err != nil {
			return nil, err
		}
		ms, err := strconv.ParseFloat(string(s.Result), 64)
		if err != nil {
			return nil, err
		}
		limit := 10.0
		if threads == 1 {
			limit = noLimit
		}
		rows = append(rows, atMost(fmt.Sprintf("warm re-solve, 30k, residual ≤ 1e-6, %d threads", threads), ms, "ms wall", limit, "quoted: 20"))
	}
	return rows, nil
}

// trialWarm prepares the model of a deck and times the best of some solves with
// right sides that differ; its result is in ms of wall time.
func trialWarm(args []string) (func() error, func() (any, error), error) {
	m, _, _, err := deck.Read(context.Background(), filepath.Clean(args[0]), deck.Options{})
	if err != nil {
		return nil, nil, err
	}
	p, err := fem.Prepare(context.Background(), m, 0)
	if err != nil {
		return nil, nil, err
	}
	best := math.Inf(1)
	run := func() error {
		u := make([]r3.Vec, len(m.Mesh.Nodes))
		for i := range 20 {
			forces := make([]fem.NodalForce, len(m.Forces))
			for k, f := range m.Forces {
				forces[k] = fem.NodalForce{Node: f.Node, ForceN: r3.Add(f.ForceN, r3.Vec{X: 1e-4 * float64(i) * f.ForceN.Y})}
			}
			start := time.Now()
			rel, err := p.Solve(context.Background(), u, &fem.LoadCase{Forces: forces}, 1e-6)
			if err != nil {
				return err
			}
			if !(rel <= 1e-6) {
				return fmt.Errorf("residual %g", rel)
			}
			best = min(best, time.Since(start).Seconds())
		}
		return nil
	}
	return run, func() (any, error) { return 1000 * best, nil }, nil
}
