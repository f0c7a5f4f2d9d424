package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"halsted/planner"
)

// Table prints the plans as text, one a line: value, unit and 95 % interval in
// every cell; "*" marks an unverified source, "!" a case outside the verified
// range. Below stand the reasons, the warnings, the probabilities of breaking a
// rule and why a number has no interval. It ends with the notice. A number that
// planner.Quantity.Validate refuses is an error and nothing is printed.
func Table(w io.Writer, items []Item) error {
	if err := checkItems(items); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	ids := columns(items)
	fmt.Fprint(t, "rank\tplan")
	for _, c := range ids {
		fmt.Fprint(t, "\t", heading(items, c))
	}
	fmt.Fprintln(t)
	for _, it := range items {
		fmt.Fprintf(t, "%s\t%s", rank(it.Evaluation), planName(it))
		for _, c := range ids {
			fmt.Fprint(t, "\t", cell(it.Evaluation, c))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	common := Common(items)
	for _, it := range items {
		head := "plan " + rank(it.Evaluation)
		if it.Evaluation.Rank == 0 {
			head = planName(it)
		}
		for _, r := range it.Evaluation.Reasons {
			fmt.Fprintf(w, "%s: %s\n", head, clean(r))
		}
		for _, r := range it.Evaluation.Warnings {
			if !slices.Contains(common, r) {
				fmt.Fprintf(w, "%s: warning: %s\n", head, clean(r))
			}
		}
		for _, c := range ids {
			if q, ok := it.Evaluation.Quantity(c); ok && q.Violation != nil {
				fmt.Fprintf(w, "%s: %s: %s\n", head, heading(items, c), violation(q))
			}
		}
	}
	for _, r := range common {
		fmt.Fprintf(w, "all plans: warning: %s\n", clean(r))
	}
	fmt.Fprintln(w, (&Dossier{Items: items}).approved())
	for _, l := range legend(items, ids) {
		fmt.Fprintln(w, l)
	}
	_, err := fmt.Fprintln(w, planner.Notice)
	return err
}

// legend explains the marks of cells: once each, in the order of the columns.
func legend(items []Item, ids []string) []string {
	var out []string
	star := false
	for _, c := range ids {
		for _, it := range items {
			q, ok := it.Evaluation.Quantity(c)
			if !ok {
				continue
			}
			star = star || unverified(q.Evidence)
			var lines []string
			if !q.HasInterval() {
				lines = append(lines, heading(items, c)+": "+interval(q))
			}
			for _, f := range q.Flags {
				lines = append(lines, "! "+heading(items, c)+": outside the verified range: "+clean(f))
			}
			for _, l := range lines {
				if !slices.Contains(out, l) {
					out = append(out, l)
				}
			}
		}
	}
	if star {
		out = append(out, "* unverified source")
	}
	return out
}

// legend is that of the plan table beside the case's flags: what these say is
// not said again.
func (d *Dossier) legend(ids []string) []string {
	return slices.DeleteFunc(legend(d.Items, ids), func(l string) bool {
		return slices.ContainsFunc(d.Flags, func(f planner.Flag) bool {
			return clean(f.Text) != "" && strings.HasSuffix(l, "outside the verified range: "+clean(f.Text))
		})
	})
}

// headings says what the narrow heads of columns stand for, denominators
// included; empty when they say it themselves.
func headings(items []Item, ids []string) string {
	var out []string
	for _, id := range ids {
		if h, l := heading(items, id), label(items, id); !strings.EqualFold(h, l) {
			out = append(out, capital(h)+": "+l)
		}
	}
	return strings.Join(out, "; ")
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

// marks are the signs of a cell.
func marks(q planner.Quantity) string {
	var b strings.Builder
	if unverified(q.Evidence) {
		b.WriteByte('*')
	}
	if len(q.Flags) > 0 {
		b.WriteByte('!')
	}
	return b.String()
}

// cell is a quantity in a narrow column: value, unit and interval.
func cell(e planner.Evaluation, id string) string {
	q, ok := e.Quantity(id)
	if !ok {
		return "–"
	}
	s := value(q) + marks(q)
	if !q.HasInterval() {
		return s + " (not quantified)"
	}
	return s + " [" + number(q.Spread.P2_5) + ", " + number(q.Spread.P97_5) + "]"
}
