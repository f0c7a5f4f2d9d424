package rules

import (
	"embed"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"

	"halsted/planner"
)

//go:embed data/*.json
var shipped embed.FS

// Severity says what breaking a rule means.
type Severity string

// The severities: a broken hard rule vetoes the plan, a soft one warns.
const (
	Hard Severity = "hard"
	Soft Severity = "soft"
)

// Rule is one limit on one quantity.
type Rule struct {
	ID          string   `json:"id"`
	Condition   string   `json:"condition"` // organ condition it is for; "*" for all
	Quantity    string   `json:"quantity"`  // planner.Quantity.ID
	Operator    string   `json:"operator"`  // ">=" or "<="
	Value       float64  `json:"value"`
	Unit        string   `json:"unit"` // UCUM; must equal the quantity's
	Severity    Severity `json:"severity"`
	Text        string   `json:"text"`
	Denominator string   `json:"denominator,omitempty"` // what a percentage is of
	Population  string   `json:"population,omitempty"`  // whom the source studied
	Source      string   `json:"source"`
	Evidence    string   `json:"evidence"` // tag: S, S*, M+, M
	// Off rules do not apply. Shipped ones are alternatives that a hospital can
	// choose; AlternativeTo is the rule that then goes off.
	Off           bool   `json:"off,omitempty"`
	AlternativeTo string `json:"alternative_to,omitempty"`
	// By says who put, changed or switched this rule, in which version, and why;
	// empty: as shipped.
	By string `json:"by,omitempty"`
}

// Grade is the evidence of the limit.
func (r *Rule) Grade() planner.Evidence {
	e, _ := planner.ParseEvidence(r.Evidence) // checked on load
	return e
}

// Limit is what the rule asks, with where it comes from.
func (r *Rule) Limit() planner.Limit {
	return planner.Limit{Operator: r.Operator, Value: r.Value, Unit: r.Unit, Source: r.origin(), Evidence: r.Grade()}
}

// origin is the source, and who brought it in.
func (r *Rule) origin() string {
	if r.By == "" {
		return r.Source
	}
	return r.Source + "; " + r.By
}

// want is the limit as people write it: "≥ 25 % of CT liver volume minus tumours".
func (r *Rule) want() string {
	s := fmt.Sprintf("%s %.4g%s", operatorText[r.Operator], r.Value, planner.UnitText(r.Unit))
	if r.Denominator != "" {
		s += " of " + r.Denominator
	}
	return s
}

// String is the rule in one line with its source and evidence.
func (r *Rule) String() string {
	return fmt.Sprintf("%s: %s: %s (%s) [%s; %s]", r.ID, r.Text, r.want(), r.Severity, r.Grade(), r.origin())
}

// keeps reports whether a value keeps the rule.
func (r *Rule) keeps(v float64) bool {
	return r.Operator == ">=" && v >= r.Value || r.Operator == "<=" && v <= r.Value
}

// Pack is a versioned set of rules for one procedure.
type Pack struct {
	Schema  string `json:"schema"`
	ID      string `json:"id"` // the procedure
	Version string `json:"version"`
	Rules   []Rule `json:"rules"`
	// Changes are the overrides that made this pack, the first one first.
	Changes []Change `json:"changes,omitempty"`
}

// Error is a pack or a rule that is refused.
type Error struct{ Pack, Rule, Why string }

func (e *Error) Error() string {
	if e.Rule == "" {
		return fmt.Sprintf("rules: pack %q: %s", e.Pack, e.Why)
	}
	return fmt.Sprintf("rules: pack %q, rule %q: %s", e.Pack, e.Rule, e.Why)
}

// operatorText is how people write the operators.
var operatorText = map[string]string{">=": "≥", "<=": "≤"}

const schema = "halsted.rules/1"

// ruleFile is a rule as it is written. Value is a pointer, so that a missing
// limit is not 0.
type ruleFile struct {
	Rule
	Value *float64 `json:"value"`
}

// packFile is a pack as it is written.
type packFile struct {
	Schema  string     `json:"schema"`
	ID      string     `json:"id"`
	Version string     `json:"version"`
	Rules   []ruleFile `json:"rules"`
	Changes []Change   `json:"changes"`
}

// rulesOf are the rules of a file; pack names it in the error.
func rulesOf(pack string, files []ruleFile) ([]Rule, error) {
	var out []Rule
	for _, f := range files {
		if f.Value == nil {
			return nil, &Error{pack, f.ID, "has no value"}
		}
		f.Rule.Value = *f.Value
		out = append(out, f.Rule)
	}
	return out, nil
}

// Load reads and checks a pack. Unknown fields are refused: a misspelt limit
// must not be a missing one. So are hard rules that contradict each other.
func Load(r io.Reader) (*Pack, error) {
	b, err := readAll(r)
	if err != nil {
		return nil, &Error{Why: err.Error()}
	}
	var f packFile
	if err := decode(b, &f); err != nil {
		return nil, &Error{Pack: f.ID, Why: err.Error()}
	}
	rs, err := rulesOf(f.ID, f.Rules)
	if err != nil {
		return nil, err
	}
	p := &Pack{f.Schema, f.ID, f.Version, rs, f.Changes}
	if err := p.validate(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Pack) validate() error {
	if p.Schema != schema || p.ID == "" || p.Version == "" {
		return &Error{Pack: p.ID, Why: "needs schema " + schema + ", an id and a version"}
	}
	byID := make(map[string]*Rule, len(p.Rules))
	for n := range p.Rules {
		r := &p.Rules[n]
		why := ""
		_, evidence := planner.ParseEvidence(r.Evidence)
		switch {
		case r.ID == "" || byID[r.ID] != nil:
			why = "has no id of its own"
		case r.Quantity == "" || r.Condition == "" || r.Text == "":
			why = "needs a quantity, a condition (\"*\" for all) and a text"
		case operatorText[r.Operator] == "":
			why = fmt.Sprintf("operator %q is not >= or <=", r.Operator)
		case r.Severity != Hard && r.Severity != Soft:
			why = fmt.Sprintf("severity %q is not hard or soft", r.Severity)
		case math.IsNaN(r.Value) || math.IsInf(r.Value, 0):
			why = "value is not finite"
		case checkUnit(r.Unit) != nil:
			why = checkUnit(r.Unit).Error()
		case r.Source == "":
			why = "has no source"
		case evidence != nil:
			why = evidence.Error()
		}
		if why != "" {
			return &Error{Pack: p.ID, Rule: r.ID, Why: why}
		}
		byID[r.ID] = r
	}
	chosen := map[string]*Rule{} // alternatives that are on, by what they replace
	for n := range p.Rules {
		r := &p.Rules[n]
		if r.AlternativeTo == "" {
			continue
		}
		o := byID[r.AlternativeTo]
		switch {
		case o == nil || o == r || o.Quantity != r.Quantity:
			return &Error{p.ID, r.ID, fmt.Sprintf("is an alternative to %q, which is no other rule on %s", r.AlternativeTo, r.Quantity)}
		case !r.Off && !o.Off:
			return &Error{p.ID, r.ID, fmt.Sprintf("is an alternative to %q and both are on: switch one off", o.ID)}
		case !r.Off && chosen[o.ID] != nil:
			return &Error{p.ID, r.ID, fmt.Sprintf("and rule %q are alternatives to %q and both are on: switch one off", chosen[o.ID].ID, o.ID)}
		case !r.Off:
			chosen[o.ID] = r
		}
	}
	return p.contradictions()
}

// contradictions fails on two hard rules on one quantity that no value can
// keep, where both apply, and on rules on one quantity in different units.
func (p *Pack) contradictions() error {
	byQuantity := map[string][]*Rule{}
	for n := range p.Rules {
		r := &p.Rules[n]
		if r.Off {
			continue
		}
		for _, o := range byQuantity[r.Quantity] {
			if o.Unit != r.Unit {
				return &Error{p.ID, r.ID, fmt.Sprintf("is in %s, rule %q on the same quantity %s in %s", r.Unit, o.ID, r.Quantity, o.Unit)}
			}
			together := o.Condition == r.Condition || o.Condition == "*" || r.Condition == "*"
			if !together || o.Severity != Hard || r.Severity != Hard || o.Operator == r.Operator {
				continue
			}
			low, high := o, r
			if low.Operator == "<=" {
				low, high = high, low
			}
			if low.Value > high.Value {
				return &Error{p.ID, r.ID, fmt.Sprintf("contradicts rule %q: no value of %s is both %s and %s; change or switch off one of them",
					o.ID, r.Quantity, low.want(), high.want())}
			}
		}
		byQuantity[r.Quantity] = append(byQuantity[r.Quantity], r)
	}
	return nil
}

var (
	shippedOnce = map[string]func() (*Pack, error){}
	shippedMu   sync.Mutex // guards shippedOnce
)

// Shipped returns the embedded pack of a procedure, e.g. "liver.resection".
func Shipped(procedure string) (*Pack, error) {
	shippedMu.Lock()
	f, ok := shippedOnce[procedure]
	if !ok {
		f = sync.OnceValues(func() (*Pack, error) { return readShipped(procedure) })
		shippedOnce[procedure] = f
	}
	shippedMu.Unlock()
	return f()
}

func readShipped(procedure string) (*Pack, error) {
	entries, err := shipped.ReadDir("data")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), devicesSuffix) || strings.HasSuffix(e.Name(), domainSuffix) {
			continue
		}
		f, err := shipped.Open("data/" + e.Name())
		if err != nil {
			return nil, err
		}
		p, err := Load(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		if p.ID == procedure {
			return p, nil
		}
	}
	return nil, &Error{Pack: procedure, Why: "no such procedure is shipped"}
}
