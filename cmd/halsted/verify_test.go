package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// One case on its small mesh, as JSON and as a file; wrong calls; a cancelled run.
func TestVerifyCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "table.json")
	var out, log bytes.Buffer
	if code := run(context.Background(), []string{"verify", "--quick", "--case", "simple-shear", "--json", "--out", file}, &out, &log); code != exitOK {
		t.Fatalf("exit %d: %s", code, log.String())
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{out.Bytes(), written} {
		var r verifyResult
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		if r.Level != "quick" || r.Failed != 0 || r.Judged != 6 || len(r.Cases) != 1 || r.Cases[0].Name != "simple-shear" {
			t.Errorf("%+v", r)
		}
	}
	out.Reset()
	if code := run(context.Background(), []string{"verify", "--list"}, &out, &log); code != exitOK || !strings.Contains(out.String(), "lame-tube") {
		t.Errorf("exit %d: %s", code, out.String())
	}
	for _, args := range [][]string{{"verify", "--case", "nothing"}, {"verify", "--quick", "--doc", "x.md"}, {"verify", "patch"}} {
		if code := run(context.Background(), args, &out, &log); code != exitUsage {
			t.Errorf("%v: exit %d", args, code)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if code := run(ctx, []string{"verify", "--quick"}, &out, &log); code != exitCancelled {
		t.Errorf("cancelled: exit %d", code)
	}
}

// The page and its plots are written together.
func TestVerifyDocument(t *testing.T) {
	dir := t.TempDir()
	var out, log bytes.Buffer
	if code := run(context.Background(), []string{"verify", "--case", "elastica", "--doc", filepath.Join(dir, "page.md")}, &out, &log); code != exitOK {
		t.Fatalf("exit %d: %s", code, log.String())
	}
	page, err := os.ReadFile(filepath.Join(dir, "page.md"))
	if err != nil || !strings.Contains(string(page), "images/verification-elastica.svg") {
		t.Errorf("%v: %s", err, page)
	}
	if _, err := os.Stat(filepath.Join(dir, "images", "verification-elastica.svg")); err != nil {
		t.Error(err)
	}
}
