package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func ExampleWrite() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "organ.txt")
	if err := Write(path, text("1542 ml")); err != nil {
		panic(err)
	}
	b, _ := os.ReadFile(path)
	fmt.Println(len(b), "bytes")
	// Output: 7 bytes
}

func TestAllOrNone(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return errors.New("disk full") }
	err := WriteAll(dir, []File{{"a.txt", text("new")}, {"b.txt", full}})
	if err == nil || !strings.Contains(err.Error(), "b.txt") || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("got %v", err)
	}
	if b, _ := os.ReadFile(old); string(b) != "old" {
		t.Errorf("the older file became %q", b)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if err := WriteAll(dir, []File{{"a.txt", text("new")}, {"b.txt", text("too")}}); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(old); string(b) != "new" {
		t.Errorf("the file holds %q", b)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("in the folder: %v", left)
	}
}

func TestAMissingFolderIsAnError(t *testing.T) {
	if err := Write(filepath.Join(t.TempDir(), "no", "such.txt"), text("x")); err == nil {
		t.Fatal("wrote into a folder that is not there")
	}
}
