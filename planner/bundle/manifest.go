package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"

	"halsted/planner"
)

const schema = "halsted.bundle/1"

// Manifest says what a run is made of.
type Manifest struct {
	Schema    string          `json:"schema"`
	Procedure string          `json:"procedure"`
	Case      planner.Case    `json:"case"`
	Inputs    []Input         `json:"inputs"`     // in a fixed order
	RulePack  string          `json:"rule_pack"`  // id@version
	RulesHash string          `json:"rules_hash"` // of the pack as it was applied, overrides included
	Settings  json.RawMessage `json:"settings"`   // of the procedure and the run
	Seed      uint64          `json:"seed"`
	Kernels   KernelSet       `json:"kernel_set"`
}

// Input is one file that the run reads.
type Input struct {
	Name   string `json:"name"` // what it is: "labels", "volume"; never a path
	SHA256 string `json:"sha256"`
}

// KernelSet is the code that computes. Equal sets give equal bits.
type KernelSet struct {
	Program  string `json:"program"`            // SHA-256 of the executable
	Revision string `json:"revision,omitempty"` // of its source, where the build knows it
	Go       string `json:"go"`
	Platform string `json:"platform"` // "linux/amd64"
}

// ID is the hash of the manifest.
func (m Manifest) ID() string {
	m.Schema = schema
	return planner.ContentID("bundle", m)
}

// ThisProgram is the kernel set of the running program.
var ThisProgram = sync.OnceValues(func() (KernelSet, error) {
	k := KernelSet{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				k.Revision = s.Value
			}
		}
	}
	path, err := os.Executable()
	if err != nil {
		return k, fmt.Errorf("bundle: this program: %w", err)
	}
	k.Program, err = HashFile(path)
	return k, err
})

// HashFile is the SHA-256 of a file's bytes, hex.
func HashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
