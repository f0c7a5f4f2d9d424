package rules

import (
	"fmt"
	"slices"

	"halsted/planner"
)

// State is what became of a rule.
type State uint8

// The states of a rule.
const (
	Kept      State = iota
	Broken          // by the value with every input at its median
	Unchecked       // the quantity is missing
	Off             // switched off by an override
)

func (s State) String() string {
	return [...]string{"kept", "broken", "not checked", "switched off"}[s]
}

// Verdict is one rule on one evaluation.
type Verdict struct {
	Rule  Rule
	State State
	Have  *planner.Quantity // nil unless kept or broken
}

// String is the verdict in one sentence for people with the rule's source and evidence.
func (v Verdict) String() string {
	s := v.State.String()
	switch v.State {
	case Kept, Broken:
		s += ", " + v.Have.Short()
	case Unchecked:
		s += ", because the case does not give the number"
	}
	return s + ": " + v.Rule.String()
}

// Conditions lists the organ conditions the pack knows, in file order.
func (p *Pack) Conditions() []string {
	var out []string
	for _, r := range p.Rules {
		if r.Condition != "*" && !slices.Contains(out, r.Condition) {
			out = append(out, r.Condition)
		}
	}
	return out
}

// of lists the rules of an organ condition, those that are off too. It fails
// on a condition that no rule knows, because a plan would then go unchecked; a
// pack whose rules are all for "*" knows every condition.
func (p *Pack) of(condition string) ([]Rule, error) {
	known := p.Conditions()
	if condition != "*" && len(known) > 0 && !slices.Contains(known, condition) {
		return nil, &Error{Pack: p.ID, Why: fmt.Sprintf("no rule for condition %q (known: %v)", condition, known)}
	}
	var out []Rule
	for _, r := range p.Rules {
		if r.Condition == "*" || r.Condition == condition {
			out = append(out, r)
		}
	}
	return out, nil
}

// For lists the rules that apply to an organ condition. It fails on a
// condition that no rule knows.
func (p *Pack) For(condition string) ([]Rule, error) {
	rs, err := p.of(condition)
	return slices.DeleteFunc(rs, func(r Rule) bool { return r.Off }), err
}

// Limit is a hard rule as a bound on an output of the simulation.
type Limit struct {
	Rule     string // id in the pack
	Output   string // planner.Output.ID
	Operator string // ">=" or "<="
	Value    float64
	Unit     string // UCUM
}

// Limits are the hard rules of a condition, in the order of the pack: what the
// probability of a violation is counted against.
func (p *Pack) Limits(condition string) ([]Limit, error) {
	rs, err := p.For(condition)
	if err != nil {
		return nil, err
	}
	var out []Limit
	for _, r := range rs {
		if r.Severity == Hard {
			out = append(out, Limit{r.ID, r.Quantity, r.Operator, r.Value, r.Unit})
		}
	}
	return out, nil
}

// Judge applies every rule of a condition to the quantities of e, in the order
// of the pack. Rules that an override switched off are listed as such. A rule
// in another unit than its quantity is an error.
func (p *Pack) Judge(e *planner.Evaluation, condition string) ([]Verdict, error) {
	rs, err := p.of(condition)
	if err != nil {
		return nil, err
	}
	var out []Verdict
	for _, r := range rs {
		q, ok := e.Quantity(r.Quantity)
		switch {
		case r.Off && r.By == "": // an alternative that nobody chose
		case r.Off:
			out = append(out, Verdict{Rule: r, State: Off})
		case !ok:
			out = append(out, Verdict{Rule: r, State: Unchecked})
		case q.Unit != r.Unit:
			return nil, &Error{Pack: p.ID, Rule: r.ID, Why: fmt.Sprintf("is in %s, the quantity %s in %s", r.Unit, q.ID, q.Unit)}
		case r.keeps(q.Value):
			out = append(out, Verdict{r, Kept, &q})
		default:
			out = append(out, Verdict{r, Broken, &q})
		}
	}
	return out, nil
}

// Lost tells which rules could not be checked, one sentence each, for a
// surgeon whose case lacks a structure.
func Lost(vs []Verdict) []string {
	var out []string
	for _, v := range vs {
		if v.State == Unchecked {
			out = append(out, v.String())
		}
	}
	return out
}

// Missing lists the quantities that rules ask for and the evaluation lacks,
// each once.
func Missing(vs []Verdict) []string {
	var out []string
	for _, v := range vs {
		if v.State == Unchecked && !slices.Contains(out, v.Rule.Quantity) {
			out = append(out, v.Rule.Quantity)
		}
	}
	return out
}

// tail is the share of one side outside a 95 % interval: a hard rule that is
// kept in the median and broken more often than this is worth a warning.
const tail = 0.025

// Check judges e and writes what it found into it: broken hard rules become
// Vetoes, broken soft ones Warnings, and so do hard rules that are kept but
// broken with a probability above 2.5 % (Quantity.Violation, where it is set),
// which stand first, and rules that an override switched off. Missing quantities are passed over,
// and listed.
func (p *Pack) Check(e *planner.Evaluation, condition string) (missing []string, err error) {
	vs, err := p.Judge(e, condition)
	if err != nil {
		return nil, err
	}
	e.Vetoes, e.Warnings = nil, nil
	var soft []string
	for _, v := range vs {
		r := &v.Rule
		switch {
		case v.State == Broken:
			if r.Severity == Hard { // its numbers stand in Have and Want
				text := r.Text
				if r.Denominator != "" {
					text += " (share of " + r.Denominator + ")"
				}
				e.Vetoes = append(e.Vetoes, planner.Veto{Rule: r.ID, Have: *v.Have, Want: r.Limit(), Text: text})
			} else {
				soft = append(soft, fmt.Sprintf("%s: %s, wanted %s [%s; %s]", r.Text, v.Have.Short(), r.want(), r.Grade(), r.origin()))
			}
		case v.State == Kept && v.Have.Violation != nil && v.Have.Violation.Rule == r.ID && v.Have.Violation.P > tail:
			e.Warnings = append(e.Warnings, fmt.Sprintf("%s: %s keeps %s, but breaks it with probability %s [%s; %s]",
				r.Text, v.Have.Short(), r.want(), v.Have.Violation, r.Grade(), r.origin()))
		case v.State == Off:
			soft = append(soft, "rule not applied: "+v.String())
		}
	}
	e.Warnings = append(e.Warnings, soft...)
	return Missing(vs), nil
}
