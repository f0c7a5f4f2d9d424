package inverse

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

const (
	profileTol   = 0.01 // relative, of the growth of the root sum of squares
	profileSteps = 12
)

// profile replaces Wald's intervals by those of the profile t: for each
// parameter held at x_i the others are fitted, and the signed root
// τ(x_i) = ±√((cost − least)/s²), nearly linear in x_i, is led to ±t by secants.
// Where a bound or the solver stops the search, the interval ends there.
func profile(f *fitter, fit *Fit, o *CalibrateOptions) error {
	s, t := noise(fit, o), quantile(fit, o)
	if s == 0 {
		return nil // an exact fit: Wald's intervals have no width either
	}
	best, least := append([]float64(nil), f.x...), f.cost(f.x, f.y)
	for i := range fit.Parameters {
		est := &fit.Parameters[i]
		ends := [2]*float64{&est.Low, &est.High}
		for k, sign := range [2]float64{-1, 1} {
			x, last := best[i]+sign*t*est.LogSD, append([]float64(nil), best...)
			for range profileSteps {
				x = min(max(x, f.lo[i]), f.hi[i])
				g := *f
				g.fixed = append([]bool(nil), f.fixed...)
				g.fixed[i] = true
				g.jac, g.fresh = mat.DenseCopyOf(f.jac), false
				start := append([]float64(nil), last...)
				start[i] = x
				if _, err := g.fit(start, true); err != nil {
					if curable(err) { // too far for the solver: half way
						x = (x + best[i]) / 2
						continue
					}
					return err
				}
				*ends[k], last = math.Exp(x), g.x
				tau := math.Sqrt(max(g.cost(g.x, g.y)-least, 0)) / s
				if math.Abs(tau-t) <= profileTol*t || tau < t && (x == f.lo[i] || x == f.hi[i]) {
					break
				}
				x = best[i] + (x-best[i])*min(max(t/max(tau, 1e-3), 0.2), 3)
			}
		}
	}
	return nil
}

// bootstrap replaces Wald's intervals by quantiles of fits to drawn data. The
// first step of each fit is that of Gauss and Newton from the optimum, which
// needs no solve.
func bootstrap(f *fitter, fit *Fit, o *CalibrateOptions) error {
	s := noise(fit, o)
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	drawn := make([][]float64, len(fit.Parameters))
	for range o.Samples {
		g := *f
		g.target = make([]float64, len(f.target))
		for i, y := range f.y {
			g.target[i] = y + s*rng.NormFloat64()
		}
		g.jac = mat.DenseCopyOf(f.jac)
		start := append([]float64(nil), f.x...)
		if a, grad, free := g.normal(); free != nil {
			if d, ok := step(a, grad, 0); ok {
				for p, j := range free {
					start[j] = min(max(start[j]+min(max(d[p], -maxMove), maxMove), f.lo[j]), f.hi[j])
				}
			}
		}
		g.fresh = false
		ok, err := g.fit(start, true)
		if err != nil && !curable(err) {
			return err
		}
		if err != nil || !ok {
			continue
		}
		fit.Samples++
		for j, v := range g.x {
			drawn[j] = append(drawn[j], v)
		}
	}
	if fit.Samples < 40 {
		return &FitError{Iterations: fit.Samples, Parameters: "bootstrap samples that could be fitted", ChiSquare: fit.ChiSquare}
	}
	for j := range fit.Parameters {
		est := &fit.Parameters[j]
		est.Low, est.High = math.Exp(percentile(drawn[j], (1-confidence)/2)), math.Exp(percentile(drawn[j], (1+confidence)/2))
	}
	return nil
}
