package planner

// WhyNot says why a plan that was searched is not among the best.
type WhyNot struct {
	Plan   Plan   `json:"plan"`
	Text   string `json:"text"`             // one sentence
	Vetoes []Veto `json:"vetoes,omitempty"` // the hard rules that it breaks, the furthest first
}

// Contingency is what to do when one assumption of a plan fails.
type Contingency struct {
	Plan  string `json:"plan"`  // id
	If    string `json:"if"`    // the assumption that fails: "1 mm of the margin is lost"
	Holds bool   `json:"holds"` // the plan keeps its hard rules all the same
	Then  string `json:"then"`  // id of the next plan that stays feasible; empty: none does, or none is needed
	Text  string `json:"text"`  // one sentence
}

// Decision is what a procedure's plans for one case come down to. It is
// content: the same case, settings and program give the same bytes.
type Decision struct {
	Case      Case   `json:"case"`
	Procedure string `json:"procedure"`
	RulePack  string `json:"rule_pack"` // id@version
	Searched  int    `json:"searched"`  // candidates that were generated
	Feasible  int    `json:"feasible"`  // of these, without a veto
	// Evaluations are those of Plans, in order: ranked ones first, then vetoed
	// ones by their distance to feasibility.
	Plans       []Plan       `json:"plans"`
	Evaluations []Evaluation `json:"evaluations"`
	// Knee is the id of the plan that is proposed to look at first; empty when
	// no plan is feasible. It is a proposal, not an approval.
	Knee          string        `json:"knee"`
	KneeText      string        `json:"knee_text"` // why it is proposed, or why none is
	WhyNot        []WhyNot      `json:"why_not,omitempty"`
	Contingencies []Contingency `json:"contingencies,omitempty"`
	Flags         []Flag        `json:"flags,omitempty"` // where the case lies outside the verified range
	Lost          []string      `json:"lost,omitempty"`  // outputs and rules that could not be had, and why
	Method        []string      `json:"method"`          // sentences on what was done
	Notice        string        `json:"notice"`
}
