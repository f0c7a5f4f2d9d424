package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"halsted/imaging/dicomfile"
	"halsted/internal/atomicfile"
	"halsted/planner"
	"halsted/planner/bundle"
	"halsted/planner/liver"
	"halsted/planner/pipeline"
	"halsted/planner/report"
	"halsted/planner/rules"
)

// printDecision prints the plans as a table, and what is to be said of them.
func printDecision(w io.Writer, d *planner.Decision, its []report.Item) error {
	fmt.Fprintf(w, "%d plans searched, %d keep all hard rules, %d quantified.\n\n", d.Searched, d.Feasible, len(d.Plans))
	if err := report.Table(w, its); err != nil {
		return err
	}
	fmt.Fprintln(w, "\n"+d.KneeText)
	for _, c := range d.Contingencies {
		if !c.Holds {
			fmt.Fprintln(w, "contingency: "+c.Text)
		}
	}
	for _, x := range d.WhyNot {
		fmt.Fprintln(w, "why not: "+x.Text)
	}
	for _, f := range d.Flags {
		fmt.Fprintln(w, "outside the verified range: "+f.Text)
	}
	for _, l := range d.Lost {
		fmt.Fprintln(w, "not available: "+l)
	}
	return nil
}

// plansDossier is a decision as people read it.
func plansDossier(d *planner.Decision, s *pipeline.Subject, in *scan, m bundle.Manifest) (report.Dossier, error) {
	var study planner.Study
	if in.study != nil {
		study = *in.study
	}
	out, err := report.FromDecision(study, d)
	if err != nil {
		return out, err
	}
	out.KernelSet = m.Kernels.Go + " " + m.Kernels.Platform + " " + m.Kernels.Program[:12]
	out.Bundle, out.Notes = m.ID(), s.Notes
	out.Limits, err = limits(s.Pack, d.Case.Condition)
	return out, err
}

// limits are the rules of a condition as the report shows them.
func limits(p *rules.Pack, condition string) (out []report.Limit, err error) {
	rs, err := p.For(condition)
	for _, r := range rs {
		out = append(out, report.Limit{Rule: r.ID, Quantity: r.Quantity, Text: r.Text, Hard: r.Severity == rules.Hard, Limit: r.Limit()})
	}
	return out, err
}

// decisionFiles are a decision's dossier in the forms that need no DICOM.
func decisionFiles(d *planner.Decision, page report.Dossier, its []report.Item) []atomicfile.File {
	return []atomicfile.File{
		{Name: "decision.json", Write: func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			return e.Encode(d)
		}},
		{Name: "plans.txt", Write: func(w io.Writer) error { return printDecision(w, d, its) }},
		{Name: "report.html", Write: func(w io.Writer) error { return report.HTML(w, page) }},
		{Name: "report.pdf", Write: func(w io.Writer) error { return report.PDF(w, page) }},
		{Name: "report.json", Write: func(w io.Writer) error { return report.JSON(w, page) }},
	}
}

// writeDecision writes the dossier of a decision in all its forms; it returns
// the files' names.
func writeDecision(ctx context.Context, out, path string, s *pipeline.Subject, in *scan, d *planner.Decision, m bundle.Manifest, b *bar) ([]string, error) {
	b.set("write", 0)
	page, err := plansDossier(d, s, in, m)
	if err != nil {
		return nil, err
	}
	var id report.SRIdentity
	if in.series != nil {
		if page.Patient, page.Scan, id, err = identity(path, in); err != nil {
			return nil, err
		}
	}
	if s.Liver != nil {
		for n, p := range d.Plans {
			png, err := resectionPicture(ctx, s.Liver, p, fmt.Sprintf("Plan %d: %s", n+1, p.Name))
			if is[*liver.NothingLeftError](err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			page.Items[n].Pictures = []report.Picture{{Caption: "What the plan leaves and takes, from the front: " + p.Name + ".", PNG: png}}
			b.set("write", float64(n+1)/float64(len(d.Plans)+1))
		}
	}
	files := decisionFiles(d, page, items(d.Plans, d.Evaluations))
	if id.StudyUID != "" {
		files = append(files, atomicfile.File{Name: "report.dcm", Write: func(w io.Writer) error { return report.SR(w, page, id) }})
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := writeArtefacts(out, files); err != nil {
		return nil, err
	}
	b.set("write", 1)
	return names(files), nil
}

// identity reads from the images of a series what the report says of the
// patient and the study, and which images it was made from.
func identity(folder string, in *scan) (p report.Patient, s report.Scan, id report.SRIdentity, err error) {
	root := os.DirFS(folder)
	for n, name := range in.series.Files() {
		ds, err := dicomfile.ReadFS(root, name, dicomfile.Limits{})
		if err != nil {
			return p, s, id, err
		}
		if n == 0 {
			p, s, id = report.Identify(ds)
		}
		class, _ := ds.String(dicomfile.SOPClassUID)
		instance, _ := ds.String(dicomfile.SOPInstanceUID)
		id.References = append(id.References, report.Reference{SeriesUID: in.series.ID.SeriesInstanceUID, ClassUID: class, InstanceUID: instance})
	}
	return p, s, id, nil
}
