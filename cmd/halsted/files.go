package main

import (
	"os"

	"halsted/internal/atomicfile"
)

// writeArtefacts makes the folder if need be and writes all files or none.
func writeArtefacts(dir string, files []atomicfile.File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return atomicfile.WriteAll(dir, files)
}
