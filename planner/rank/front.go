package rank

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"halsted/planner"
)

// Options of Rank.
type Options struct {
	// Objectives are what plans are compared by, in the order of Samples and
	// Weights.
	Objectives []planner.Objective
	// Samples are the objectives on common random numbers, by Evaluation.Plan:
	// [objective][sample], in the unit of the quantity; NaN is a sample that did
	// not converge. All plans without veto must have them, equally many of an
	// objective; an objective without samples is compared by its value. Nil:
	// all are.
	Samples map[string][][]float64
	// Weights order plans within a front, one per objective, 0 or more; nil is
	// all alike. They never move a plan to another front.
	Weights []float64
	// Most is how many plans are shown; 0 is 7.
	Most int
	// Bounds are the hard rules that Scenarios are checked against.
	Bounds    []Bound
	Scenarios []Scenario
	// Names are what a surgeon calls the plans, by Evaluation.Plan; a plan that
	// has none is called by its id.
	Names map[string]string
}

// mostShown is how many plans a surgeon can compare at once.
const mostShown = 7

func (o *Options) name(plan string) string {
	if n := o.Names[plan]; n != "" {
		return n
	}
	return "plan " + plan
}

// InputError is a plan that cannot be ranked.
type InputError struct{ Plan, Objective, Why string }

func (e *InputError) Error() string {
	switch {
	case e.Plan == "" && e.Objective == "":
		return "rank: " + e.Why
	case e.Plan == "":
		return fmt.Sprintf("rank: objective %s: %s", e.Objective, e.Why)
	case e.Objective == "":
		return fmt.Sprintf("rank: plan %s: %s", e.Plan, e.Why)
	}
	return fmt.Sprintf("rank: plan %s has no %s: %s", e.Plan, e.Objective, e.Why)
}

// Front is the ranked set of plans.
type Front struct {
	// Plans are all evaluations: those without veto first, best first, with
	// their Rank and Reasons; then the vetoed ones, the least violating first,
	// each with its vetoes, the furthest first.
	Plans []planner.Evaluation
	// Levels are the fronts of the plans without veto, in the order of Plans; 0
	// is beaten by no plan.
	Levels []int
	// Shown are the plans of front 0 to look at, indices into Plans in order of
	// rank.
	Shown []int
	// Knee is the index of the proposed plan in Plans, one of Shown; −1: none.
	Knee     int
	KneeText string // why it is proposed, or why none is
	// WhyNot tells for each plan that is not shown why not, in the order of
	// Plans.
	WhyNot []WhyNot
	// Nearest is the vetoed plan that is closest to keeping the hard rules; nil
	// without vetoed plans.
	Nearest *Rejected
	// Least are the least violating plans, at most three, when no plan keeps the
	// hard rules; else empty.
	Least []Rejected
	// Contingency tells for each shown plan and each scenario what becomes of
	// it.
	Contingency []Contingency
	// Basis says how plans were compared.
	Basis string
}

// WhyNot is the reason why a plan is not shown.
type WhyNot struct {
	Plan string
	// By is the plan that beats it, or that it is too like; empty for a veto.
	By     string
	Claims []Claim // in what By is better
	Text   string  // one sentence
}

// Claim is that one plan is better than another in one objective.
type Claim struct {
	Objective string
	// Probability is from the common samples; nil when plans were compared by
	// their values.
	Probability *planner.Quantity
}

// Rejected is a vetoed plan with its distance to feasibility.
type Rejected struct {
	Plan       string
	Shortfalls []Shortfall // the worst in units of its limit first
	Changes    []string    // what would have to change, one sentence per rule
	Text       string      // one sentence
}

// Rank orders the plans and says why. The evaluations are copied. It fails with
// an *InputError on plans that cannot be compared: an id twice, an objective
// missing or not finite, samples of different number.
func Rank(plans []planner.Evaluation, o Options) (*Front, error) {
	es := slices.Clone(plans)
	if err := o.check(es); err != nil {
		return nil, err
	}
	f := &Front{Knee: -1, Basis: "plans are compared by their values, because there are no samples"}
	vetoedLast(es)
	open := unvetoed(es)
	c, err := newComparison(es[:open], &o)
	if err != nil {
		return nil, err
	}
	if c.samples != nil {
		f.Basis = fmt.Sprintf("a plan beats another if it is no worse in each objective and better in one, each in at least %g %% of the samples, on common random numbers; an objective without samples by its value",
			100*surely)
	}
	order, lead := c.order(o.Weights), c.leaders()
	for _, p := range order {
		e := es[p]
		e.Rank = len(f.Plans) + 1
		e.Reasons = c.reasons(p, order, lead, es, &o)
		f.Plans = append(f.Plans, e)
		f.Levels = append(f.Levels, c.front[p])
	}
	c = c.permuted(order)
	for _, e := range es[open:] {
		reject(&e)
		f.Plans = append(f.Plans, e)
	}
	f.propose(c, &o)
	f.explain(c, &o)
	f.contingencies(&o)
	return f, nil
}

func (o *Options) check(es []planner.Evaluation) error {
	seen := map[string]bool{}
	for _, e := range es {
		if seen[e.Plan] {
			return &InputError{Plan: e.Plan, Why: "is given twice"}
		}
		seen[e.Plan] = true
		for _, v := range e.Vetoes {
			if d := v.Have.Value - v.Want.Value; math.IsNaN(d) || math.IsInf(d, 0) {
				return &InputError{Plan: e.Plan, Why: "the distance to rule " + v.Rule + " is not finite"}
			}
		}
	}
	if len(o.Objectives) == 0 {
		return &InputError{Why: "there is no objective"}
	}
	if o.Weights != nil && len(o.Weights) != len(o.Objectives) {
		return &InputError{Why: fmt.Sprintf("%d weights for %d objectives", len(o.Weights), len(o.Objectives))}
	}
	for n, w := range o.Weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			return &InputError{Objective: o.Objectives[n].ID, Why: fmt.Sprintf("weight %g is not a number of 0 or more", w)}
		}
	}
	if o.Most < 0 {
		return &InputError{Why: fmt.Sprintf("cannot show %d plans", o.Most)}
	}
	return nil
}

// propose picks the plans to show and the knee.
func (f *Front) propose(c *comparison, o *Options) {
	best := 0 // plans of front 0 stand first
	for best < len(f.Levels) && f.Levels[best] == 0 {
		best++
	}
	if best == 0 {
		f.KneeText = "no plan keeps all hard rules"
		return
	}
	most := o.Most
	if most == 0 {
		most = mostShown
	}
	f.KneeText = "none stands out as a compromise: the front has less than three plans, or no plan lies off the plane through its extremes towards the ideal (no knee, Das 1999)"
	k := knee(c.costs[:best])
	switch {
	case best == 1 && len(f.Levels) > 1:
		f.Knee = 0
		f.KneeText = fmt.Sprintf("%s is proposed: it is the only plan that no other one beats; a proposal, not a decision", o.name(f.Plans[0].Plan))
	case best == 1 && len(f.Plans) > 1:
		f.Knee = 0
		f.KneeText = fmt.Sprintf("%s is proposed: it is the only plan that keeps all hard rules; a proposal, not a decision", o.name(f.Plans[0].Plan))
	case k >= 0:
		f.Knee = k
		f.KneeText = fmt.Sprintf("%s is proposed: of the front it lies furthest from the plane through the plans that are best in one objective, towards what is best in all (Das 1999); a proposal, not a decision",
			o.name(f.Plans[k].Plan))
	}
	f.Shown = c.thin(best, most, f.Knee)
	if f.Knee >= 0 && !slices.Contains(f.Shown, f.Knee) {
		f.Knee, f.KneeText = -1, "no knee among the plans shown"
	}
}

// explain says why each plan is not shown, and what the vetoed ones lack.
func (f *Front) explain(c *comparison, o *Options) {
	for p := range f.Levels {
		if slices.Contains(f.Shown, p) {
			continue
		}
		if f.Levels[p] == 0 {
			f.WhyNot = append(f.WhyNot, c.tooLike(p, f, o))
		} else {
			f.WhyNot = append(f.WhyNot, c.beaten(p, f, o))
		}
	}
	for n := len(f.Levels); n < len(f.Plans); n++ {
		r := rejected(&f.Plans[n], o)
		f.WhyNot = append(f.WhyNot, WhyNot{Plan: r.Plan, Text: r.Text})
		if n == len(f.Levels) {
			f.Nearest = &r
		}
		if len(f.Levels) == 0 && len(f.Least) < 3 {
			f.Least = append(f.Least, r)
		}
	}
}

// rejected describes a vetoed plan.
func rejected(e *planner.Evaluation, o *Options) Rejected {
	r := Rejected{Plan: e.Plan, Shortfalls: Shortfalls(e)}
	for n := range r.Shortfalls {
		label := r.Shortfalls[n].Rule
		for _, v := range e.Vetoes {
			if v.Rule == label && v.Have.Label != "" {
				label = v.Have.Label
			}
		}
		r.Changes = append(r.Changes, r.Shortfalls[n].change(label))
	}
	more := ""
	if n := len(r.Shortfalls) - 1; n == 1 {
		more = ", and breaks one hard rule more"
	} else if n > 1 {
		more = fmt.Sprintf(", and breaks %d hard rules more", n)
	}
	r.Text = fmt.Sprintf("%s is vetoed: %s%s.", o.name(e.Plan), r.Shortfalls[0].Text, more)
	return r
}

// reject sorts the vetoes of a plan, the furthest in units of its limit first,
// and makes them its reasons.
func reject(e *planner.Evaluation) {
	e.Rank, e.Reasons = 0, nil
	e.Vetoes = slices.Clone(e.Vetoes)
	slices.SortStableFunc(e.Vetoes, func(a, b planner.Veto) int {
		return cmp.Or(cmp.Compare(far(b), far(a)), cmp.Compare(a.Rule, b.Rule))
	})
	for _, v := range e.Vetoes {
		e.Reasons = append(e.Reasons, fmt.Sprintf("vetoed: %s: %s, wanted %s %.4g%s [%s]", v.Text, v.Have.Short(),
			operatorText[v.Want.Operator], v.Want.Value, planner.UnitText(v.Want.Unit), v.Want.Evidence))
	}
}

// beaten says which plan beats p, the best ranked one, and in what.
func (c *comparison) beaten(p int, f *Front, o *Options) WhyNot {
	for q := range c.costs {
		claims, ok := c.beats(q, p)
		if !ok {
			continue
		}
		w := WhyNot{Plan: f.Plans[p].Plan, By: f.Plans[q].Plan}
		var texts []string
		for _, j := range claims {
			claim := Claim{Objective: o.Objectives[j].ID}
			text := label(&f.Plans[p], o.Objectives[j].ID)
			if c.samples != nil && len(c.samples[q][j]) > 1 {
				better, _ := c.samples.count(q, p, j)
				n := len(c.samples[q][j])
				s := share("better."+claim.Objective, "probability of being better in "+text, better, n)
				claim.Probability = &s
				text += fmt.Sprintf(" (in %d of %d samples)", better, n)
			}
			w.Claims = append(w.Claims, claim)
			texts = append(texts, text)
		}
		rest := " and no worse in the others"
		if len(claims) == len(o.Objectives) {
			rest = ""
		}
		w.Text = fmt.Sprintf("%s beats %s: it is better in %s%s.", o.name(w.By), o.name(w.Plan), strings.Join(texts, ", "), rest)
		return w
	}
	return WhyNot{Plan: f.Plans[p].Plan, Text: o.name(f.Plans[p].Plan) + " stands behind a front of other plans."}
}

// tooLike says which shown plan a plan of the front is most like.
func (c *comparison) tooLike(p int, f *Front, o *Options) WhyNot {
	near, at := math.Inf(1), f.Shown[0]
	for _, q := range f.Shown {
		if d := distance(c.scaled[p], c.scaled[q]); d < near {
			near, at = d, q
		}
	}
	w := WhyNot{Plan: f.Plans[p].Plan, By: f.Plans[at].Plan}
	why := "of those shown it is most like"
	if !c.differ(p, at) {
		why = "no objective tells it from"
	}
	w.Text = fmt.Sprintf("No plan beats %s, but %s %s.", o.name(w.Plan), why, o.name(w.By))
	return w
}
