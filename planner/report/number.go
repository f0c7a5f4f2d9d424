package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"halsted/planner"
)

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// number writes v with three significant digits, whole from 100 up, without
// exponent between 0.0001 and ten million and without trailing zeros.
func number(v float64) string {
	a := math.Abs(v)
	if a == 0 {
		return "0"
	}
	if a >= 1e7 || a < 1e-4 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(a)))
	s := strconv.FormatFloat(v, 'f', max(0, digits), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// unit is planner.UnitText without its leading space.
func unit(ucum string) string {
	switch ucum {
	case "mL/min":
		return "ml/min"
	case "mL":
		return "ml"
	case "cm2":
		return "cm²"
	case "mm3":
		return "mm³"
	case "N/cm2":
		return "N/cm²"
	case "deg":
		return "°"
	case "mm[Hg]":
		return "mmHg"
	}
	return clean(strings.TrimSpace(planner.UnitText(ucum)))
}

// withUnit is a number with its unit.
func withUnit(v float64, ucum string) string {
	switch u := unit(ucum); u {
	case "":
		return number(v)
	case "°":
		return number(v) + u
	default:
		return number(v) + " " + u
	}
}

// apart is a difference with its unit: between two percentages in points.
func apart(v float64, ucum string) string {
	if ucum == "%" {
		return number(v) + " percentage points"
	}
	return withUnit(v, ucum)
}

// value is the quantity's value with its unit.
func value(q planner.Quantity) string { return withUnit(q.Value, q.Unit) }

// interval is the 95 % interval with its unit, or why there is none.
func interval(q planner.Quantity) string {
	if !q.HasInterval() {
		return "not quantified: " + clean(q.Basis)
	}
	return number(q.Spread.P2_5) + " to " + withUnit(q.Spread.P97_5, q.Unit)
}

// brief is interval for a narrow place; why there is none stands elsewhere.
func brief(q planner.Quantity) string {
	if !q.HasInterval() {
		return "not quantified"
	}
	return number(q.Spread.P2_5) + " to " + number(q.Spread.P97_5)
}

// basis says what the interval holds under; empty when there is none.
func basis(q planner.Quantity) string {
	if !q.HasInterval() {
		return ""
	}
	return clean(q.Basis)
}

// evidence spells the tag out.
func evidence(e planner.Evidence) string {
	switch e {
	case planner.EvidenceComputed:
		return "computed here"
	case planner.EvidenceSource:
		return "S (read in its source)"
	case planner.EvidencePartly:
		return "S* (partly seen in its source)"
	}
	return e.String()
}

// unverified reports evidence that people must be warned of.
func unverified(e planner.Evidence) bool { return e >= planner.EvidenceClassic }

// violation says how probable it is that a hard rule is broken.
func violation(q planner.Quantity) string {
	if q.Violation == nil {
		return ""
	}
	p := q.Violation.String()
	if !strings.HasPrefix(p, "<") && !strings.HasPrefix(p, ">") {
		p = "= " + p
	}
	return "P(breaks " + clean(q.Violation.Rule) + ") " + p
}

// solution says how well the equations behind the number were solved.
func solution(q planner.Quantity) string {
	if q.Solution == nil {
		return ""
	}
	return "residual " + number(q.Solution.Residual) + ", mesh error " + withUnit(q.Solution.MeshError, q.Unit)
}

// remarks are what stands beside value, interval and evidence.
func remarks(q planner.Quantity) []string {
	var out []string
	if v := violation(q); v != "" {
		out = append(out, v)
	}
	if s := solution(q); s != "" {
		out = append(out, s)
	}
	for _, f := range q.Flags {
		out = append(out, "outside the verified range: "+clean(f))
	}
	return out
}

// operator is what people read for a rule's operator.
func operator(op string) string {
	if op == "<=" {
		return "at most"
	}
	return "at least"
}

// asks is a limit in words.
func asks(l planner.Limit) string { return operator(l.Operator) + " " + withUnit(l.Value, l.Unit) }

// veto is a broken rule in one sentence: what it asks, what the plan has, how
// far that is, and where the rule comes from.
func veto(v planner.Veto) string {
	side := "missing by "
	if v.Want.Operator == "<=" {
		side = "exceeded by "
	}
	return fmt.Sprintf("%s: want %s, have %s (95 %%: %s), %s%s. Source: %s; evidence %s", clean(v.Text), asks(v.Want), value(v.Have), interval(v.Have),
		side, apart(math.Abs(v.Want.Value-v.Have.Value), v.Want.Unit), clean(v.Want.Source), evidence(v.Want.Evidence))
}

// vesselName is a cut vessel as surgeons name it, else its system.
func vesselName(v planner.VesselCut) string {
	if n := clean(v.Name); n != "" {
		return n
	}
	switch v.System {
	case "portal":
		return "branch of the portal vein"
	case "hepatic":
		return "branch of a hepatic vein"
	case "unknown", "":
		return "vessel of unknown system"
	}
	return clean(v.System)
}

// place writes a point in LPS mm.
func place(p [3]float64) string { return fmt.Sprintf("(%.1f, %.1f, %.1f) mm LPS", p[0], p[1], p[2]) }
