package report

import (
	"fmt"
	"slices"
	"strings"

	"halsted/planner"
)

// titles of the procedures.
var titles = map[string]string{
	"liver.resection":   "Liver resection: plans compared",
	"needle.trajectory": "Needle trajectories compared",
	"vessel.aneurysm":   "Aortic aneurysm: wall stress and graft sizes",
}

func (d *Dossier) title() string {
	if t := shortened(clean(d.Title), 120); t != "" {
		return t
	}
	if t, ok := titles[d.Case.Procedure]; ok {
		return t
	}
	if p := clean(d.Case.Procedure); p != "" {
		return capital(p) + ": plans compared"
	}
	return "Plans compared"
}

// proposal is the ranking's proposal in one sentence.
func (d *Dossier) proposal() string {
	if it := d.plan(d.Knee); it != nil && d.Knee != "" {
		n := slices.IndexFunc(d.Items, func(o Item) bool { return o.Plan.ID == d.Knee })
		return fmt.Sprintf("Proposed, %s: plan %s, %s.", it.State(), d.mark(n), planName(*it))
	}
	if len(d.Items) > 0 && !d.feasible() {
		return "No plan keeps all hard rules. The plans below break them least; each says what would have to change."
	}
	return "No plan is proposed over the others."
}

// feasible reports whether a plan has no veto.
func (d *Dossier) feasible() bool {
	return slices.ContainsFunc(d.Items, func(it Item) bool { return len(it.Evaluation.Vetoes) == 0 && it.Evaluation.Rank > 0 })
}

// planName is the plan's name, cleaned.
func planName(it Item) string {
	if s := clean(it.Plan.Name); s != "" {
		return s
	}
	return "(without a name)"
}

// planTitle is the heading of plan n.
func (d *Dossier) planTitle(n int) string {
	t := "Plan " + d.mark(n) + ": " + planName(d.Items[n])
	if d.Items[n].Evaluation.Rank == 0 {
		return "Vetoed. " + t
	}
	return t
}

// tags are the words beside a plan's name.
func (d *Dossier) tags(n int) []string {
	it := d.Items[n]
	var out []string
	if it.Plan.ID == d.Knee && d.Knee != "" {
		out = append(out, "proposed")
	}
	if it.Evaluation.Rank == 0 {
		out = append(out, "vetoed")
	}
	return append(out, it.State())
}

// briefTags are tags for a page that says above that no plan is approved.
func (d *Dossier) briefTags(n int) []string {
	t := d.tags(n)
	if len(t) == 1 && t[0] == notApproved && d.approved() == nobodyApproved {
		return nil
	}
	return t
}

// reasons are the plan's first three reasons; a vetoed plan's are its vetoes.
// A plan with fewer says which hard rules it keeps, and by what.
func (d *Dossier) reasons(it Item) []string {
	var out []string
	for _, v := range it.Evaluation.Vetoes {
		out = append(out, clean(v.Text)+": want "+asks(v.Want)+", have "+value(v.Have)+" (95 %: "+brief(v.Have)+")")
	}
	for _, r := range it.Evaluation.Reasons {
		if len(it.Evaluation.Vetoes) > 0 && strings.HasPrefix(r, "vetoed: ") {
			continue // said above, with its distance
		}
		out = append(out, clean(r))
	}
	if ws := texts(it.WhyNot); len(ws) > 0 && it.Plan.ID != d.Knee && len(it.Evaluation.Vetoes) == 0 {
		out = append(out, "why not this one: "+strings.TrimSuffix(ws[0], "."))
	}
	for _, l := range d.Limits {
		if q, ok := it.Evaluation.Quantity(l.Quantity); ok && l.Hard && len(it.Evaluation.Vetoes) == 0 && len(out) < 3 && q.Unit == l.Limit.Unit && keeps(q.Value, l.Limit) {
			out = append(out, fmt.Sprintf("%s: %s (95 %%: %s), asked %s", shortened(clean(l.Text), 60), value(q), brief(q), asks(l.Limit)))
		}
	}
	return out[:min(3, len(out))]
}

// keeps reports a value on the right side of a limit.
func keeps(v float64, l planner.Limit) bool {
	if l.Operator == "<=" {
		return v <= l.Value
	}
	return v >= l.Value
}

// warnings are those of all plans: the dossier's notes and what every plan
// warns of.
func (d *Dossier) warnings() []string { return append(texts(d.Notes), texts(Common(d.Items))...) }

// own are the warnings of a plan that not all plans share.
func own(common []string, it Item) []string {
	var out []string
	for _, w := range it.Evaluation.Warnings {
		if !slices.Contains(common, w) {
			out = append(out, clean(w))
		}
	}
	return out
}

// warning is the plan's one warning for the first page, and how many more its
// own page has.
func warning(common []string, it Item) string {
	ws := own(common, it)
	switch len(ws) {
	case 0:
		if len(common) > 0 {
			return "none of its own; see the warnings for all plans"
		}
		return "none recorded"
	case 1:
		return ws[0]
	}
	return fmt.Sprintf("%s (and %d more on its page)", ws[0], len(ws)-1)
}

// fallback says what stays feasible when an assumption fails.
func (d *Dossier) fallback(c Contingency) string {
	n := slices.IndexFunc(d.Items, func(it Item) bool { return c.Then != "" && it.Plan.ID == c.Then })
	if s := clean(c.Text); s != "" {
		if n >= 0 {
			s += " (Plan " + d.mark(n) + ".)"
		}
		return s
	}
	s := "If " + clean(c.If) + ": "
	switch {
	case n >= 0:
		s += "plan " + d.mark(n) + " (" + planName(d.Items[n]) + ") keeps the rules."
	case c.Then != "":
		s += "plan " + clean(c.Then) + " keeps the rules."
	default:
		s += "no plan of the list keeps the rules."
	}
	return s
}

// scanText is the study in one line.
func (d *Dossier) scanText() string {
	s := d.Study
	size := ""
	if s.Size != [3]int{} {
		size = fmt.Sprintf("%d × %d × %d voxels of %s × %s × %s mm", s.Size[0], s.Size[1], s.Size[2], number(s.Spacing[0]), number(s.Spacing[1]), number(s.Spacing[2]))
	}
	return join(", ", clean(s.Modality), dicomDate(d.Scan.Date), cleanTo(d.Scan.Description, 100), size)
}

// identity names what the dossier is made from.
func (d *Dossier) identity() [][2]string {
	var out [][2]string
	add := func(k, v string) {
		if v = clean(v); v != "" {
			out = append(out, [2]string{k, v})
		}
	}
	add("case", d.Case.ID)
	add("study", d.Study.ID)
	add("rules", d.RulePack)
	add("computed by", d.KernelSet)
	add("run bundle", d.Bundle)
	return out
}

// limitText is a rule of the case in one sentence.
func limitText(l Limit) string {
	kind := "soft rule"
	if l.Hard {
		kind = "hard rule"
	}
	return fmt.Sprintf("%s (%s, %s): %s. Source: %s; evidence %s", clean(l.Text), clean(l.Rule), kind, asks(l.Limit), clean(l.Limit.Source), evidence(l.Limit.Evidence))
}

// reading explains the marks that all forms use.
const reading = "Intervals hold 95 % under what their basis names. * marks an unverified source, ! a number outside the verified range. " +
	"In the charts a dot is the value, the thin bar the 95 % and the thick bar the 90 % interval, a hollow dot has no interval; full red lines are hard rules, dashed ones soft rules."

// texts cleans a list.
func texts(list []string) []string {
	var out []string
	for _, s := range list {
		if s = clean(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
