package inverse

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

const (
	// identTol is the least change of the observations for a change of
	// parameters by a factor e, relative to the observations, that counts. The
	// differences are exact to about ResidualTol/diffStep = 1e-7.
	identTol = 1e-5
	// openFactor is the factor by which a combination of parameters may be
	// uncertain (one standard deviation) before it counts as not determined.
	openFactor = 10
)

// identifiable looks for a combination of parameters that the observations and
// priors leave open: a singular vector of the Jacobian with a singular value
// below identTol of the observations, or, where the noise factor s is given,
// above openFactor of uncertainty.
func identifiable(f *fitter, ob *observer, params []Parameter, s float64) error {
	n, m := len(params), len(f.target)
	a := mat.NewDense(m+n, n, nil)
	a.Slice(0, m, 0, n).(*mat.Dense).Copy(f.jac)
	for j, w := range f.prior {
		a.Set(m+j, j, math.Sqrt(w))
	}
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDThin) {
		return fmt.Errorf("inverse: the sensitivities have no singular values: a model answer is not finite")
	}
	var v mat.Dense
	svd.VTo(&v)
	least := svd.Values(nil)[n-1]
	singular := least <= identTol*math.Sqrt(dot(f.y, f.y))
	open := !singular && s/least > math.Log(openFactor)
	if !singular && !open {
		return nil
	}
	e := &UnidentifiableError{MovesSigma: least}
	var big float64
	for j := range n {
		if w := v.At(j, n-1); math.Abs(w) > math.Abs(big) {
			big = w
		}
	}
	for j, p := range params {
		if w := v.At(j, n-1) / big; math.Abs(w) > 0.05 {
			e.Parameters = append(e.Parameters, p.Name)
			e.Direction = append(e.Direction, w)
		}
	}
	what := "changing it by a factor e"
	if len(e.Parameters) > 1 {
		what = "changing them together"
	}
	switch {
	case open:
		e.Reason = fmt.Sprintf("%s moves them by only %.2g of the noise: the result is uncertain by more than a factor of %d; measure more points, more exactly, or give a prior (LogSD)", what, least/s, openFactor)
	case math.Sqrt(dot(f.y, f.y)) == 0:
		e.Reason = "nothing that was measured moves in the model; check loads, steps and points"
	case !driven(ob.model) && len(ob.obs.Reactions) == 0:
		e.Reason = what + " moves no point: the model is driven by prescribed motion alone, so displacements tell ratios of stiffness but no absolute one; measure a force (Observations.Reactions), apply the known load, hold one parameter fixed, or give a prior (LogSD)"
	default:
		e.Reason = what + " moves nothing that was measured; measure where it matters, hold one parameter fixed, or give a prior (LogSD)"
	}
	return e
}
