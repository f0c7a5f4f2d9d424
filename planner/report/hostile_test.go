package report

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"halsted/imaging/dicomfile"
	"halsted/planner"
)

// hostile are strings that a DICOM header or a rule pack may hold.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</style><script>alert(1)</script>`, `</title><script>`,
	`<svg/onload=alert(1)>`, `javascript:alert(1)`, `{{.Items}}`, `]]>`, `<!--`, `-->`, `&lt;script&gt;`, "\u2028alert(1)\u2029",
	"Doe^John\u202egnp.exe", "\u2066a\u2069\u200f\u061c", "a\x00b\x01\x1b[31mred\x7f\u0085", "line one\nline two\r\n\tthree", "\xff\xfe\x80bad utf-8", "\uFFFF\uFDD0",
	strings.Repeat("A", 10<<10), strings.Repeat("A^", 5<<10), strings.Repeat("=", 10<<10), strings.Repeat("\u0300", 10<<10), "Z" + strings.Repeat("\u0301", 1000) + "algo",
	strings.Repeat("م", 10<<10), strings.Repeat("李", 10<<10), strings.Repeat(" ", 10<<10), "", "^", "===", "a=b=c=d=e", `C:\temp\x`, `) Tj ET Q (`, "%PDF-1.7\nendstream endobj", "{nb}", "\\", "(((", "𠮷野家", "देवनागरी", "\U0001F9E0", "ޑިވެހި", "ꦲꦏ꧀ꦱꦫ",
}

// spoilt puts s wherever text from outside may stand.
func spoilt(s string) Dossier {
	d := sampleDossier()
	d.Items = []Item{d.Items[0], d.Items[6]}
	d.Pictures[0].PNG, d.Items[0].Pictures[0].PNG, d.Items[1].Pictures[0].PNG = drawing(8, 5, 0), drawing(8, 5, 1), drawing(8, 5, 2)
	d.Title = s
	d.Patient = Patient{Name: s, ID: s, BirthDate: s, Sex: s}
	d.Scan = Scan{Description: s, Date: s, Accession: s, Institution: s}
	d.Case.ID, d.Case.Condition, d.Study.ID, d.Study.Modality = s, s, s, s
	d.RulePack, d.KernelSet, d.Bundle = s, s, s
	d.KneeWhy, d.Missing, d.Method, d.Sources = []string{s}, []string{s}, []string{s}, []string{s}
	d.Flags[0].Text, d.Pictures[0].Caption, d.Notes = s, s, []string{s}
	d.Found[0].Label, d.Found[0].Basis = s, "b"+s
	d.Limits[0].Text, d.Limits[0].Rule, d.Limits[0].Limit.Source = s, s, "s"+s
	it := &d.Items[0]
	it.Plan.Name, it.WhyNot, it.Pictures[0].Caption = s, []string{s}, s
	it.Contingency[0].If, it.Contingency[0].Text, it.Contingency[1].Then = s, s, s
	e := &it.Evaluation
	e.Reasons, e.Warnings = []string{s}, []string{s}
	e.Vessels[0].Name, e.Vessels[1].Name, e.Vessels[1].System = s, "", s
	q := &e.Quantities[3]
	q.Label, q.Basis, q.Flags = s, "b"+s, []string{s}
	q.Violation = &planner.Violation{Rule: s, P: 0.5}
	v := &d.Items[1].Evaluation.Vetoes[0]
	v.Text, v.Rule, v.Want.Source = s, s, "s"+s
	d.Rejected[0].Plan.Name, d.Rejected[0].WhyNot = s, []string{s}
	surgeon(it, s)
	d.Knee = it.Plan.ID
	return d
}

// surgeon approves an item under a name and with a statement of s, as far as
// an approval takes them.
func surgeon(it *Item, s string) {
	it.Plan = it.Plan.Sealed()
	it.Evaluation.Plan = it.Plan.ID
	shown, err := planner.EvaluationID(&it.Evaluation)
	if err != nil {
		panic(err)
	}
	for _, words := range [][2]string{{s, s}, {"y", s}, {s, "y"}, {"y", "y"}} {
		a, err := planner.Approve(it.Plan, &it.Evaluation, shown, planner.Approver{Name: words[0], Role: planner.ApprovingRole, Kind: planner.AccountPerson}, words[1], approvedAt)
		if err == nil {
			it.Given = []planner.Approval{*a}
			return
		}
	}
}

var tag = regexp.MustCompile(`<[a-zA-Z/!][^>]*>?`)

// tags lists what stands behind each < of the page up to a blank or >: the
// names of its tags, in order. Text has no < of its own, it is escaped.
func tags(page []byte) []string {
	var out []string
	for {
		at := bytes.IndexByte(page, '<')
		if at < 0 {
			return out
		}
		page = page[at+1:]
		end := bytes.IndexAny(page, " >")
		if end < 0 {
			return append(out, "an open tag")
		}
		out = append(out, string(page[:end]))
		page = page[end:]
	}
}

// sound checks a page that holds s against one that holds a harmless word in
// the same places: the same tags in the same order, and nothing in it that
// turns the writing direction or controls a terminal.
func sound(t *testing.T, s string) {
	t.Helper()
	page, plain := render(t, "HTML", spoilt("x"+s)), render(t, "HTML", spoilt("x"))
	if n := len(ParseName("x" + s).Groups()); n > 1 {
		plain = render(t, "HTML", spoilt("x"+strings.Repeat("=x", n-1)))
	}
	if got, want := tags(page), tags(plain); !slices.Equal(got, want) {
		for n := range want {
			if n >= len(got) || got[n] != want[n] {
				t.Fatalf("%.60q changes tag %d of the page: %q, want %q", s, n, got[n:min(n+4, len(got))], want[n])
			}
		}
		t.Fatalf("%.60q adds tags to the page: %q", s, got[len(want):])
	}
	if !utf8.Valid(page) {
		t.Fatalf("%.60q: the page is not UTF-8", s)
	}
	if bytes.Count(page, []byte(`"`)) != bytes.Count(plain, []byte(`"`)) {
		t.Fatalf("%.60q adds a quotation mark to the page", s)
	}
	for _, r := range string(page) {
		if unicode.In(r, unicode.Bidi_Control) || unicode.IsControl(r) && r != '\n' {
			t.Fatalf("%.60q: %U stands in the page", s, r)
		}
	}
	if len(page) > len(plain)+200<<10 {
		t.Fatalf("%.60q: the page grows by %d bytes", s, len(page)-len(plain))
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	for _, s := range hostile {
		sound(t, s)
	}
}

func TestPageFetchesNothing(t *testing.T) {
	b := string(render(t, "HTML", sampleDossier()))
	for _, never := range []string{"http:", "https:", "//", "<script", " on", "style=", "@import", "<link", "<iframe", "<form"} {
		for _, tg := range tag.FindAllString(b, -1) {
			if strings.Contains(tg, never) && !strings.Contains(tg, "data:image/png;base64,") {
				t.Errorf("%q in %.80s", never, tg)
			}
		}
	}
	if strings.Contains(pageCSS, "url(") || strings.Contains(pageCSS, "@import") {
		t.Error("the style sheet fetches")
	}
	if !strings.Contains(b, "default-src &#39;none&#39;") || !strings.Contains(b, "<style>"+pageCSS+"</style>") {
		t.Error("the policy is missing, or the style sheet is not the one that it names")
	}
}

func TestPDFStandsHostileText(t *testing.T) {
	for _, s := range hostile {
		b := render(t, "PDF", spoilt(s))
		if !bytes.HasPrefix(b, []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimSpace(b), []byte("%%EOF")) {
			t.Fatalf("%.60q: no PDF", s)
		}
		if len(b) > 2<<20 {
			t.Fatalf("%.60q: %d bytes", s, len(b))
		}
	}
	if text := pdfText(t, render(t, "PDF", spoilt(") Tj ET Q ("))); text != "" && !strings.Contains(text, ") Tj ET Q (") {
		t.Error("PDF operators in a text do not stand as text")
	}
}

func TestReportStandsHostileText(t *testing.T) {
	for _, s := range hostile {
		b := render(t, "SR", spoilt(s))
		d, err := dicomfile.Read(bytes.NewReader(b), int64(len(b)), dicomfile.Limits{})
		if err != nil {
			t.Fatalf("%.60q: %v", s, err)
		}
		if d.Len() < 20 {
			t.Fatalf("%.60q: %d elements", s, d.Len())
		}
	}
}

func FuzzHTML(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { sound(t, s) })
}

// FuzzPDF writes a dossier without plans, so that it is quick.
func FuzzPDF(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := render(t, "PDF", Dossier{Patient: Patient{Name: s, ID: s}, Method: []string{s}, Rejected: []Item{item("x"+s, 1)}})
		if !bytes.HasPrefix(b, []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimSpace(b), []byte("%%EOF")) {
			t.Error("no PDF")
		}
	})
}

func FuzzSR(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := render(t, "SR", spoilt(s))
		if _, err := dicomfile.Read(bytes.NewReader(b), int64(len(b)), dicomfile.Limits{}); err != nil {
			t.Error(err)
		}
	})
}

func FuzzShape(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := clean(s)
		if again := clean(c); again != c && !strings.Contains(c, "…") {
			t.Errorf("clean is not stable: %q, then %q", c, again)
		}
		text := []rune(c)
		seen := visual(text)
		unmirrored := func(in []rune) []rune {
			out := slices.Clone(in)
			for n, r := range out {
				if m, ok := mirrored[r]; ok { // brackets swap
					out[n] = min(r, m)
				}
			}
			slices.Sort(out)
			return out
		}
		if !slices.Equal(unmirrored(seen), unmirrored(text)) {
			t.Errorf("reordering loses characters: %q, %q", string(text), string(seen))
		}
		for _, r := range shape(c, false) {
			for _, x := range r.text {
				if !r.face.has(x) {
					t.Errorf("%q: no glyph for %U in %s", c, x, family[r.face])
				}
			}
		}
	})
}
