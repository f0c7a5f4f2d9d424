package report

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"halsted/planner"
)

//go:embed page.html
var pageHTML string

// Picture is a PNG with what it shows.
type Picture struct {
	Caption string
	PNG     []byte
}

// Item is one plan with its evaluation.
type Item struct {
	Plan       planner.Plan
	Evaluation planner.Evaluation
}

// Dossier is everything the page shows. Items stand in the order they are
// shown: ranked plans first.
type Dossier struct {
	Case     planner.Case
	Study    planner.Study
	RulePack string // id@version
	Found    []planner.Quantity
	Items    []Item
	Method   []string // sentences on what was done and what was left out
	Pictures []Picture
}

// Columns are the quantities of the plan table, in order.
var Columns = []string{"flr_percent", "margin_mm", "vessels_cut", "largest_vessel_cut_mm", "cut_area_cm2", "displacement_mm", "reaction_n", "peak_stress_kpa", "peak_strain_percent"}

// short heads the columns of the text table.
var short = map[string]string{
	"flr_percent": "FLR", "margin_mm": "margin", "vessels_cut": "vessels cut", "largest_vessel_cut_mm": "largest radius",
	"cut_area_cm2": "cut area", "displacement_mm": "moved", "reaction_n": "pull force", "peak_stress_kpa": "peak stress", "peak_strain_percent": "peak strain",
}

// Table prints the plans as text, one a line, with units in every cell and the
// reasons below. It ends with the notice.
func Table(w io.Writer, items []Item) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "rank\tplan")
	for _, c := range Columns {
		fmt.Fprint(t, "\t", short[c])
	}
	fmt.Fprintln(t)
	for _, it := range items {
		fmt.Fprintf(t, "%s\t%s", rank(it.Evaluation), it.Plan.Name)
		for _, c := range Columns {
			fmt.Fprint(t, "\t", cell(it.Evaluation, c))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	common := Common(items)
	for _, it := range items {
		for _, r := range it.Evaluation.Reasons {
			fmt.Fprintf(w, "%s  %s: %s\n", rank(it.Evaluation), it.Plan.Name, r)
		}
		for _, r := range it.Evaluation.Warnings {
			if !slices.Contains(common, r) {
				fmt.Fprintf(w, "%s  %s: warning: %s\n", rank(it.Evaluation), it.Plan.Name, r)
			}
		}
	}
	for _, r := range common {
		fmt.Fprintf(w, "all plans: warning: %s\n", r)
	}
	_, err := fmt.Fprintln(w, planner.Notice)
	return err
}

// Common lists the warnings that all plans share, when there are several.
func Common(items []Item) []string {
	if len(items) < 2 {
		return nil
	}
	var out []string
	for _, w := range items[0].Evaluation.Warnings {
		if !slices.ContainsFunc(items[1:], func(it Item) bool { return !slices.Contains(it.Evaluation.Warnings, w) }) {
			out = append(out, w)
		}
	}
	return out
}

func rank(e planner.Evaluation) string {
	if e.Rank == 0 {
		return "veto"
	}
	return fmt.Sprint(e.Rank)
}

// cell is a quantity in a narrow column: value, unit and interval.
func cell(e planner.Evaluation, id string) string {
	q, ok := e.Quantity(id)
	if !ok {
		return "–"
	}
	u := planner.UnitText(q.Unit)
	if !q.HasInterval() {
		return fmt.Sprintf("%.3g%s", q.Value, u)
	}
	return fmt.Sprintf("%.3g%s [%.3g, %.3g]", q.Value, u, q.Spread.P2_5, q.Spread.P97_5)
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"own": func(common, all []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(w string) bool { return slices.Contains(common, w) })
	},
	"src": func(p Picture) template.URL {
		return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(p.PNG))
	},
	"value": func(q planner.Quantity) string { return fmt.Sprintf("%.4g%s", q.Value, planner.UnitText(q.Unit)) },
	"interval": func(q planner.Quantity) string {
		if !q.HasInterval() {
			return "not quantified"
		}
		return fmt.Sprintf("%.4g to %.4g%s", q.Spread.P2_5, q.Spread.P97_5, planner.UnitText(q.Unit))
	},
	"vessels": func(v []planner.VesselCut) string {
		var s []string
		for _, c := range v {
			s = append(s, fmt.Sprintf("%s, radius %.1f mm", c.System, c.Radius.Value))
		}
		return strings.Join(s, "; ")
	},
	"size": func(s planner.Study) string {
		return fmt.Sprintf("%d × %d × %d voxels of %.3g × %.3g × %.3g mm", s.Size[0], s.Size[1], s.Size[2], s.Spacing[0], s.Spacing[1], s.Spacing[2])
	},
}).Parse(pageHTML))

// Write writes the dossier as one HTML page. Every quantity is checked first
// (planner.Quantity.Validate): a number without unit or basis is not printed.
func Write(w io.Writer, d Dossier) error {
	for _, it := range d.Items {
		for _, q := range it.Evaluation.Quantities {
			if err := q.Validate(); err != nil {
				return fmt.Errorf("report: plan %q: %w", it.Plan.Name, err)
			}
		}
	}
	return page.Execute(w, struct {
		Dossier
		Notice string
		Common []string
	}{d, planner.Notice, Common(d.Items)})
}
