package verify

import (
	"fmt"
	"path"
	"strings"
)

// Document writes the results as Markdown. images names the pictures that it
// links (path below the folder of the document → content); dir is their folder
// relative to it.
func Document(results []Result, dir string) (text string, images map[string]string) {
	images = map[string]string{}
	var b strings.Builder
	b.WriteString("# Verification of the solver\n\n")
	b.WriteString("Written by `halsted verify --doc docs/verification.md`; do not edit. Every figure comes from a solve through the public interface of `fem`, on the mesh that its row names.\n\n")
	b.WriteString("Units are mm, N, MPa. Errors are relative unless the row has a unit or the quantity is itself an error (reference –). Rows without a tolerance are coarser meshes of a series, or figures for information. ")
	b.WriteString("Sources: [C] computed from a closed form or by quadrature in `fem/verify`; [R] read in the repository or table named; [M] recalled, to be checked against the paper.\n\n")
	rows, failing := 0, 0
	b.WriteString("| case | | rows judged | verdict |\n|---|---|---|---|\n")
	for i := range results {
		r := &results[i]
		n, bad := 0, 0
		for _, w := range r.Rows {
			if w.Check != Shown {
				n++
				if !w.Holds {
					bad++
				}
			}
		}
		verdict := "holds"
		switch {
		case r.Failure != "":
			verdict = "**failed**"
			bad++
		case r.NotRun != "":
			verdict = "not run"
		case bad > 0:
			verdict = fmt.Sprintf("**%d do not hold**", bad)
		}
		rows, failing = rows+n, failing+bad
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %d | %s |\n", r.Name, r.Name, cell(r.Title), n, verdict)
	}
	if failing == 0 {
		fmt.Fprintf(&b, "\nAll %d judged rows hold.\n", rows)
	} else {
		fmt.Fprintf(&b, "\n%d of %d judged rows do not hold.\n", failing, rows)
	}
	group := ""
	for i := range results {
		r := &results[i]
		if r.Group != group {
			group = r.Group
			fmt.Fprintf(&b, "\n## %s\n", group)
		}
		fmt.Fprintf(&b, "\n### %s\n\n**%s.** %s\n\nSource: %s\n\n", r.Name, r.Title, r.Text, r.Source)
		if r.Failure != "" {
			fmt.Fprintf(&b, "**Failed:** %s\n\n", r.Failure)
		}
		if r.NotRun != "" {
			fmt.Fprintf(&b, "**Not run:** %s\n\n", r.NotRun)
		}
		if len(r.Rows) > 0 {
			b.WriteString("| quantity | mesh | value | reference | error | tolerance | |\n|---|---|--:|--:|--:|--:|---|\n")
		}
		notes := ""
		for i := range r.Rows {
			w := &r.Rows[i]
			cells := w.cells()
			for i := range cells {
				cells[i] = cell(cells[i])
			}
			if !w.Holds {
				cells[len(cells)-1] = "**does not hold**"
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
			if w.Note != "" {
				notes += fmt.Sprintf("- %s, %s: %s\n", w.Quantity, w.Mesh, w.Note)
			}
		}
		if notes != "" {
			b.WriteString("\n" + notes)
		}
		if svg := Plot(r); svg != "" {
			name := path.Join(dir, "verification-"+r.Name+".svg")
			images[name] = svg
			fmt.Fprintf(&b, "\n![error over size of cells](%s)\n", name)
		}
	}
	return b.String(), images
}

// cell keeps a text within its column.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
