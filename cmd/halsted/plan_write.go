package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

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
func printDecision(w io.Writer, d *planner.Decision) error {
	fmt.Fprintf(w, "%d plans searched, %d keep all hard rules, %d quantified.\n\n", d.Searched, d.Feasible, len(d.Plans))
	if err := report.Table(w, items(d.Plans, d.Evaluations)); err != nil {
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
func plansDossier(d *planner.Decision, s *pipeline.Subject, in *scan, m bundle.Manifest) report.Dossier {
	out := report.Dossier{Case: d.Case, RulePack: d.RulePack, KernelSet: m.Kernels.Go + " " + m.Kernels.Platform + " " + m.Kernels.Program[:12], Bundle: m.ID(),
		Items: items(d.Plans, d.Evaluations), Knee: d.Knee, KneeWhy: []string{d.KneeText}, Flags: d.Flags, Missing: d.Lost, Method: append(slices.Clone(d.Method), s.Notes...)}
	if in.study != nil {
		out.Study = *in.study
	}
	for n := range out.Items {
		for _, c := range d.Contingencies {
			if c.Plan == out.Items[n].Plan.ID {
				then := report.Contingency{If: c.If, Then: c.Then, Text: c.Text}
				if c.Holds {
					then = report.Contingency{If: c.If, Then: c.Plan}
				}
				out.Items[n].Contingency = append(out.Items[n].Contingency, then)
			}
		}
	}
	for _, w := range d.WhyNot {
		n := slices.IndexFunc(out.Items, func(it report.Item) bool { return it.Plan.ID == w.Plan.ID })
		if n >= 0 {
			out.Items[n].WhyNot = append(out.Items[n].WhyNot, w.Text)
			continue
		}
		out.Rejected = append(out.Rejected, report.Item{Plan: w.Plan, Evaluation: planner.Evaluation{Plan: w.Plan.ID, Vetoes: w.Vetoes}, WhyNot: []string{w.Text}})
	}
	if rs, err := s.Pack.For(d.Case.Condition); err == nil {
		for _, r := range rs {
			if !r.Off {
				out.Limits = append(out.Limits, report.Limit{Rule: r.ID, Quantity: r.Quantity, Text: r.Text, Hard: r.Severity == rules.Hard, Limit: r.Limit()})
			}
		}
	}
	return out
}

// writeDecision writes the dossier of a decision in all its forms; it returns
// the files' names.
func writeDecision(ctx context.Context, out, path string, s *pipeline.Subject, in *scan, d *planner.Decision, m bundle.Manifest, b *bar) ([]string, error) {
	b.set("write", 0)
	page := plansDossier(d, s, in, m)
	var id report.SRIdentity
	if in.series != nil {
		var err error
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
	files := []atomicfile.File{
		{Name: "decision.json", Write: func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			return e.Encode(d)
		}},
		{Name: "plans.txt", Write: func(w io.Writer) error { return printDecision(w, d) }},
		{Name: "report.html", Write: func(w io.Writer) error { return report.HTML(w, page) }},
		{Name: "report.pdf", Write: func(w io.Writer) error { return report.PDF(w, page) }},
		{Name: "report.json", Write: func(w io.Writer) error { return report.JSON(w, page) }},
	}
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
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	return names, nil
}

// identity reads from the first image of a series what the report says of the
// patient and the study.
func identity(folder string, in *scan) (p report.Patient, s report.Scan, id report.SRIdentity, err error) {
	names := in.series.Files()
	if len(names) == 0 {
		return p, s, id, errors.New("the series has no file")
	}
	ds, err := dicomfile.ReadFS(os.DirFS(folder), names[0], dicomfile.Limits{})
	if err != nil {
		return p, s, id, err
	}
	get := func(t dicomfile.Tag) string { v, _ := ds.String(t); return v }
	p = report.Patient{Name: get(dicomfile.PatientName), ID: get(dicomfile.PatientID), BirthDate: get(dicomfile.PatientBirthDate), Sex: get(dicomfile.PatientSex)}
	s = report.Scan{Description: get(dicomfile.StudyDescription), Date: get(dicomfile.StudyDate), Accession: get(dicomfile.AccessionNumber), Institution: get(dicomfile.InstitutionName)}
	id = report.SRIdentity{StudyUID: in.series.ID.StudyInstanceUID, StudyDate: get(dicomfile.StudyDate), StudyTime: get(dicomfile.StudyTime), StudyID: get(dicomfile.StudyID),
		AccessionNumber: get(dicomfile.AccessionNumber), FrameUID: get(dicomfile.FrameOfReferenceUID),
		References: []report.Reference{{SeriesUID: in.series.ID.SeriesInstanceUID, ClassUID: get(dicomfile.SOPClassUID), InstanceUID: get(dicomfile.SOPInstanceUID)}}}
	return p, s, id, nil
}
