package inverse

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// confidence is the level of the intervals.
const confidence = 0.95

// summarise makes the estimates with Wald's intervals.
func summarise(f *fitter, ob *observer, params []Parameter, o *CalibrateOptions) (*Fit, error) {
	n, m := len(params), len(f.target)
	fit := &Fit{ChiSquare: f.cost(f.x, f.y) - f.priorCost(f.x), DOF: m, Interval: o.Interval}
	for _, w := range f.prior {
		if w == 0 {
			fit.DOF--
		}
	}
	if fit.DOF > 0 {
		fit.NoiseFactor = math.Sqrt(fit.ChiSquare / float64(fit.DOF))
	}
	if err := identifiable(f, ob, params, noise(fit, o)); err != nil {
		return nil, err
	}
	var jj mat.Dense
	jj.Mul(f.jac.T(), f.jac)
	s2 := noise(fit, o) * noise(fit, o)
	a := mat.NewSymDense(n, nil) // s²·(JᵀJ/s² + Π), which holds for s = 0 too
	for i := range n {
		for j := i; j < n; j++ {
			v := jj.At(i, j)
			if i == j {
				v += s2 * f.prior[i]
			}
			a.SetSym(i, j, v)
		}
	}
	var chol mat.Cholesky
	var inv mat.SymDense
	if !chol.Factorize(a) || chol.InverseTo(&inv) != nil {
		return nil, fmt.Errorf("inverse: the normal matrix of the fit is singular")
	}
	q := quantile(fit, o)
	fit.LogCovariance, fit.Correlation = make([][]float64, n), make([][]float64, n)
	for i, p := range params {
		fit.LogCovariance[i], fit.Correlation[i] = make([]float64, n), make([]float64, n)
		for j := range n {
			fit.LogCovariance[i][j] = s2 * inv.At(i, j)
			fit.Correlation[i][j] = inv.At(i, j) / math.Sqrt(inv.At(i, i)*inv.At(j, j))
		}
		sd := math.Sqrt(fit.LogCovariance[i][i])
		fit.Parameters = append(fit.Parameters, Estimate{
			Name: p.Name, Unit: p.Unit, Value: math.Exp(f.x[i]),
			Low: math.Exp(f.x[i] - q*sd), High: math.Exp(f.x[i] + q*sd), LogSD: sd,
			PriorShare: fit.LogCovariance[i][i] * f.prior[i],
			AtBound:    f.x[i] <= f.lo[i] || f.x[i] >= f.hi[i],
		})
	}
	for i, r := range ob.rows {
		fit.Residuals = append(fit.Residuals, Residual{Name: ob.obs.name(r), Axis: r.axis, Measured: r.value, Fitted: f.y[i] * r.sd, SD: r.sd})
	}
	return fit, nil
}

// noise is the factor s on the stated standard deviations.
func noise(fit *Fit, o *CalibrateOptions) float64 {
	if o.NoiseKnown {
		return 1
	}
	return fit.NoiseFactor
}

// quantile is the half width of the interval in standard deviations.
func quantile(fit *Fit, o *CalibrateOptions) float64 {
	if o.NoiseKnown {
		return distuv.UnitNormal.Quantile((1 + confidence) / 2)
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(fit.DOF)}.Quantile((1 + confidence) / 2)
}

// percentile is the linear interpolation between order statistics.
func percentile(x []float64, p float64) float64 {
	sort.Float64s(x)
	at := p * float64(len(x)-1)
	i := min(int(at), len(x)-2)
	return x[i] + (at-float64(i))*(x[i+1]-x[i])
}
