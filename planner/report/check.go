package report

import (
	"bytes"
	"fmt"
	"image/png"

	"halsted/planner"
)

// The most that a dossier holds: more is a mistake, not a case.
const (
	maxItems    = 64
	maxPictures = 64
	maxPixels   = 64 << 20
)

// Check reports a dossier that must not be shown, naming the plan and what is
// wrong: a quantity that planner.Quantity.Validate refuses (a number without
// unit or basis, not finite, outside its interval), a limit without source or
// unit, a plan without evaluation, a knee that is no plan of the list, or a
// picture that is no PNG. All forms call it first.
func (d *Dossier) Check() error {
	if n := len(d.Items) + len(d.Rejected); n > maxItems {
		return fmt.Errorf("report: %d plans, want %d at most", n, maxItems)
	}
	for _, q := range d.Found {
		if err := q.Validate(); err != nil {
			return fmt.Errorf("report: organ: %w", err)
		}
	}
	for _, list := range [][]Item{d.Items, d.Rejected} {
		if err := checkItems(list); err != nil {
			return err
		}
	}
	for _, l := range d.Limits {
		if err := checkLimit(l.Limit); err != nil {
			return fmt.Errorf("report: rule %q: %w", clean(l.Rule), err)
		}
	}
	if d.Knee != "" && d.plan(d.Knee) == nil {
		return fmt.Errorf("report: the proposed plan %q is not in the list", clean(d.Knee))
	}
	all := [][]Picture{d.Pictures}
	for _, it := range d.Items {
		all = append(all, it.Pictures)
	}
	count := 0
	for _, ps := range all {
		for _, p := range ps {
			if count++; count > maxPictures {
				return fmt.Errorf("report: more than %d pictures", maxPictures)
			}
			c, err := png.DecodeConfig(bytes.NewReader(p.PNG))
			if err != nil {
				return fmt.Errorf("report: picture %q: %w", clean(p.Caption), err)
			}
			if c.Width*c.Height > maxPixels || c.Width < 1 || c.Height < 1 {
				return fmt.Errorf("report: picture %q has %d × %d pixels", clean(p.Caption), c.Width, c.Height)
			}
		}
	}
	return nil
}

// checkItems is Check for a list of plans.
func checkItems(items []Item) error {
	for _, it := range items {
		if err := checkEvaluation(it.Evaluation); err != nil {
			return fmt.Errorf("report: plan %q: %w", clean(it.Plan.Name), err)
		}
	}
	return nil
}

func checkEvaluation(e planner.Evaluation) error {
	for _, q := range e.Quantities {
		if err := q.Validate(); err != nil {
			return err
		}
	}
	for _, v := range e.Vessels {
		if err := v.Radius.Validate(); err != nil {
			return fmt.Errorf("vessel %q: %w", clean(v.Name), err)
		}
		if v.Flow != nil {
			if err := v.Flow.Validate(); err != nil {
				return fmt.Errorf("vessel %q: %w", clean(v.Name), err)
			}
		}
		for _, x := range v.At {
			if !finite(x) {
				return fmt.Errorf("vessel %q: its place is not finite", clean(v.Name))
			}
		}
	}
	for _, v := range e.Vetoes {
		if err := v.Have.Validate(); err != nil {
			return fmt.Errorf("veto %q: %w", clean(v.Rule), err)
		}
		if err := checkLimit(v.Want); err != nil {
			return fmt.Errorf("veto %q: %w", clean(v.Rule), err)
		}
	}
	return nil
}

func checkLimit(l planner.Limit) error {
	switch {
	case l.Unit == "" || l.Source == "":
		return fmt.Errorf("a limit without unit or source")
	case l.Operator != ">=" && l.Operator != "<=":
		return fmt.Errorf("limit operator %q, want >= or <=", clean(l.Operator))
	case !finite(l.Value):
		return fmt.Errorf("a limit that is not finite")
	}
	return nil
}

// plan finds a plan of the list by id.
func (d *Dossier) plan(id string) *Item {
	for n := range d.Items {
		if d.Items[n].Plan.ID == id {
			return &d.Items[n]
		}
	}
	return nil
}
