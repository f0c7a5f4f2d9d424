package report

import (
	"io"
	"testing"
)

// BenchmarkForms writes the dossier of seven plans in each form.
func BenchmarkForms(b *testing.B) {
	d := sampleDossier()
	for _, form := range []string{"HTML", "PDF", "JSON", "SR"} {
		b.Run(form, func(b *testing.B) {
			b.SetBytes(int64(len(render(b, form, d))))
			for b.Loop() {
				if err := forms[form](io.Discard, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
