package report

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// names of the scripts that the PDF must show, as DICOM would give them.
var names = []struct{ script, pn, shown string }{
	{"Latin with diacritics", "Ångström^Łukasz", "Ångström, Łukasz"},
	{"Vietnamese", "Nguyễn^Thị Hường", "Nguyễn, Thị Hường"},
	{"Turkish", "Şahin^Işıl", "Şahin, Işıl"},
	{"Greek", "Παπαδοπούλου^Ελένη", "Παπαδοπούλου, Ελένη"},
	{"Cyrillic", "Люкceмбypг^Юлия", "Люкceмбypг, Юлия"},
	{"Armenian", "Հակոբյան^Արամ", "Հակոբյան, Արամ"},
	{"Georgian", "ბერიძე^ნინო", "ბერიძე, ნინო"},
	{"Japanese", "Yamada^Tarou=山田^太郎=やまだ^たろう", "山田 太郎"},
	{"Japanese katakana", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎", "山田 太郎"},
	{"simplified Chinese", "Wang^XiaoDong=王^小东", "王 小东"},
	{"traditional Chinese", "Huang^Lan=黃^蘭", "黃 蘭"},
	{"Korean", "Hong^Gildong=洪^吉洞=홍^길동", "홍 길동"},
	{"Thai", "สมชาย^ใจดี", "สมชาย, ใจดี"},
	{"Hebrew", "כהן^דוד", ""},
	{"Arabic", "قباني^لنزار", ""},
	{"Persian", "گلشیری^هوشنگ", ""},
}

// TestEveryScriptHasGlyphs: no name above needs a code point.
func TestEveryScriptHasGlyphs(t *testing.T) {
	for _, n := range names {
		for _, g := range ParseName(n.pn).Groups() {
			if !printable(g) {
				t.Errorf("%s: %q has characters that no face draws", n.script, g)
			}
		}
	}
}

// TestNamesInThePDF takes the names out of the PDF again with poppler.
func TestNamesInThePDF(t *testing.T) {
	for _, n := range names {
		d := sampleDossier()
		d.Items, d.Knee = nil, ""
		d.Patient.Name = n.pn
		text := norm.NFKC.String(pdfText(t, render(t, "PDF", d)))
		if text == "" {
			t.Skip("pdftotext is not installed")
		}
		if want := norm.NFKC.String(n.shown); want != "" && !strings.Contains(text, want) {
			t.Errorf("%s: %q is not in the PDF's text", n.script, want)
		}
		for _, g := range ParseName(n.pn).Groups() { // whatever the direction, every letter is there
			for _, r := range norm.NFKC.String(g) {
				if !strings.ContainsRune(text, r) {
					t.Errorf("%s: %U %q is not in the PDF's text", n.script, r, r)
				}
			}
		}
	}
}

// TestMissingGlyphsAreSpelled: a script without a face appears as code points,
// behind the group that can be read.
func TestMissingGlyphsAreSpelled(t *testing.T) {
	got := printableFirst(ParseName("देव^राज=𠮷^野=Dev^Raj"))
	if got[0] != "Dev Raj" {
		t.Errorf("first of the groups is %q", got[0])
	}
	var b strings.Builder
	for _, r := range shape("𠮷", false) {
		if !r.missing {
			t.Errorf("%q passes as drawn", r.text)
		}
		b.WriteString(r.text)
	}
	if b.String() != "‹U+20BB7›" {
		t.Errorf("shown as %q", b.String())
	}
	d := sampleDossier()
	d.Patient.Name = "देव^राज"
	if text := pdfText(t, render(t, "PDF", d)); text != "" && !strings.Contains(text, "‹U+0926›") {
		t.Error("the PDF does not spell the code points")
	}
}

// TestArabicForms: each presentation form decomposes to its letter (Unicode
// compatibility decomposition).
func TestArabicForms(t *testing.T) {
	for letter, f := range arabicForms {
		for n := range f.forms {
			if got := norm.NFKC.String(string(f.isolated + rune(n))); got != string(letter) {
				t.Errorf("%U + %d is a form of %q, not of %q", f.isolated, n, got, letter)
			}
		}
		if !plain.has(f.isolated) {
			t.Errorf("no glyph for %U", f.isolated)
		}
	}
	for alef, f := range lamAlef {
		for n := range rune(2) {
			if got, want := norm.NFKC.String(string(f+n)), norm.NFC.String("ل"+string(alef)); got != want {
				t.Errorf("%U is %q, want %q", f+n, got, want)
			}
		}
	}
}

// TestArabicJoins: محمد is initial, medial, medial, final; سلام joins lam and
// alef; a zero width non-joiner parts letters.
func TestArabicJoins(t *testing.T) {
	for in, want := range map[string]string{
		"محمد": "\uFEE3\uFEA4\uFEE4\uFEAA", "سلام": "\uFEB3\uFEFC\uFEE1", "دار": "\uFEA9\uFE8D\uFEAD", "ب": "\uFE8F",
		"مُحَمَّد": "\uFEE3\u064F\uFEA4\u064E\uFEE4\u064E\u0651\uFEAA", "می\u200cخواهم": "\uFEE3\uFBFD\u200c\uFEA7\uFEEE\uFE8D\uFEEB\uFEE2",
	} {
		if got := string(joinArabic([]rune(norm.NFC.String(in)))); got != want {
			t.Errorf("%s: %+q, want %+q", in, got, want)
		}
	}
}

// TestVisualOrder has right-to-left parts as a reader of UAX #9 would draw
// them; capitals stand for Hebrew letters.
func TestVisualOrder(t *testing.T) {
	hebrew := strings.NewReplacer("A", "א", "B", "ב", "C", "ג", "D", "ד", "E", "ה")
	for in, want := range map[string]string{
		"plain text":    "plain text",
		"ABC":           "CBA",
		"ABC, DE":       "ED ,CBA",
		"name ABC x":    "name CBA x",
		"AB 12.5 CD":    "DC 12.5 BA",
		"nr 7 AB":       "nr 7 BA",
		"(AB)":          "(BA)",
		"AB (CD) E":     "E (DC) BA",
		"x AB 12, y":    "x 12 BA, y",
		"AB-CD (mm)":    "DC-BA (mm)",
		"AB (12.5 mm)":  "BA (12.5 mm)",
		"AB (12)":       "(12) BA",
		"AB 10% C":      "C 10% BA",
		"AB 1961-03-27": "1961-03-27 BA",
		"x (AB) y":      "x (BA) y",
		"x (AB y) CD":   "x (BA y) DC",
		"A]B":           "B[A",
		"1961-03-27 ":   "1961-03-27 ",
	} {
		if got := string(visual([]rune(hebrew.Replace(in)))); got != hebrew.Replace(want) {
			t.Errorf("%q is drawn %q, want %q", in, got, hebrew.Replace(want))
		}
	}
}
