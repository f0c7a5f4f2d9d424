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
	Source      string   `json:"source"`
	Evidence    string   `json:"evidence"` // tag: S, S*, M+, M
}

// Pack is a versioned set of rules for one procedure.
type Pack struct {
	Schema  string `json:"schema"`
	ID      string `json:"id"` // the procedure
	Version string `json:"version"`
	Rules   []Rule `json:"rules"`
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

// Load reads and checks a pack. Unknown fields are refused: a misspelt limit
// must not be a missing one.
func Load(r io.Reader) (*Pack, error) {
	b, err := readAll(r)
	if err != nil {
		return nil, &Error{Why: err.Error()}
	}
	var p Pack
	if err := decode(b, &p); err != nil {
		return nil, &Error{Pack: p.ID, Why: err.Error()}
	}
	return &p, p.validate()
}

func (p *Pack) validate() error {
	if p.Schema != schema || p.ID == "" || p.Version == "" {
		return &Error{Pack: p.ID, Why: "needs schema " + schema + ", an id and a version"}
	}
	seen := map[string]bool{}
	for _, r := range p.Rules {
		why := ""
		_, evidence := planner.ParseEvidence(r.Evidence)
		switch {
		case r.ID == "" || seen[r.ID]:
			why = "has no id of its own"
		case r.Quantity == "" || r.Condition == "" || r.Text == "":
			why = "needs a quantity, a condition (\"*\" for all) and a text"
		case r.Operator != ">=" && r.Operator != "<=":
			why = fmt.Sprintf("operator %q is not >= or <=", r.Operator)
		case r.Severity != Hard && r.Severity != Soft:
			why = fmt.Sprintf("severity %q is not hard or soft", r.Severity)
		case math.IsNaN(r.Value) || math.IsInf(r.Value, 0):
			why = "value is not finite"
		case r.Unit == "":
			why = "has no unit"
		case r.Source == "":
			why = "has no source"
		case evidence != nil:
			why = evidence.Error()
		}
		if why != "" {
			return &Error{Pack: p.ID, Rule: r.ID, Why: why}
		}
		seen[r.ID] = true
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
		if strings.HasSuffix(e.Name(), devicesSuffix) {
			continue
		}
		f, err := shipped.Open("data/" + e.Name())
		if err != nil {
			return nil, err
		}
		p, err := Load(f)
		f.Close()
		if err != nil {
			return nil, err
		}
		if p.ID == procedure {
			return p, nil
		}
	}
	return nil, &Error{Pack: procedure, Why: "no such procedure is shipped"}
}

// Conditions lists the organ conditions the pack knows, in file order.
func (p *Pack) Conditions() []string {
	var out []string
	seen := map[string]bool{"*": true}
	for _, r := range p.Rules {
		if !seen[r.Condition] {
			seen[r.Condition] = true
			out = append(out, r.Condition)
		}
	}
	return out
}

// For lists the rules of an organ condition. It fails on a condition that no
// rule knows, because a plan would then go unchecked.
func (p *Pack) For(condition string) ([]Rule, error) {
	known := false
	var out []Rule
	for _, r := range p.Rules {
		if r.Condition == condition {
			known = true
		}
		if r.Condition == "*" || r.Condition == condition {
			out = append(out, r)
		}
	}
	if !known {
		return nil, &Error{Pack: p.ID, Why: fmt.Sprintf("no rule for condition %q (known: %v)", condition, p.Conditions())}
	}
	return out, nil
}

// Check applies the rules of a condition to the quantities of e: broken hard
// rules become Vetoes, broken soft ones Warnings. Quantities a rule names that
// e does not have (yet) are passed over, and listed in missing.
func (p *Pack) Check(e *planner.Evaluation, condition string) (missing []string, err error) {
	rs, err := p.For(condition)
	if err != nil {
		return nil, err
	}
	e.Vetoes, e.Warnings = nil, nil
	for _, r := range rs {
		q, ok := e.Quantity(r.Quantity)
		if !ok {
			missing = append(missing, r.Quantity)
			continue
		}
		if q.Unit != r.Unit {
			return missing, &Error{Pack: p.ID, Rule: r.ID, Why: fmt.Sprintf("is in %s, the quantity %s in %s", r.Unit, q.ID, q.Unit)}
		}
		if r.Operator == ">=" && q.Value >= r.Value || r.Operator == "<=" && q.Value <= r.Value {
			continue
		}
		ev, _ := planner.ParseEvidence(r.Evidence) // checked on load
		v := planner.Veto{Rule: r.ID, Have: q, Want: planner.Limit{Operator: r.Operator, Value: r.Value, Unit: r.Unit, Source: r.Source, Evidence: ev},
			Text: fmt.Sprintf("%s: %s, wanted %s %.3g%s", r.Text, q.Short(), operatorText[r.Operator], r.Value, planner.UnitText(r.Unit))}
		if r.Severity == Hard {
			e.Vetoes = append(e.Vetoes, v)
		} else {
			e.Warnings = append(e.Warnings, v.Text+" ["+ev.String()+"]")
		}
	}
	return missing, nil
}
