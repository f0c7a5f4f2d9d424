package pacs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sameFiles checks that every file of sent lies in the store, in its own
// transfer syntax, with the same data set.
func sameFiles(t *testing.T, r *rig, sent []string) {
	t.Helper()
	got := received(t, r.path)
	if len(got) != len(sent) {
		t.Fatalf("store holds %d files, %d were sent", len(got), len(sent))
	}
	byUID := map[string]string{}
	for _, name := range got {
		byUID[strings.TrimSuffix(filepath.Base(name), ".dcm")] = name
	}
	for _, name := range sent {
		want, wm := body(t, name)
		have, hm := body(t, byUID[wm.instance])
		if hm.class != wm.class || hm.instance != wm.instance || hm.syntax != wm.syntax {
			t.Errorf("%s: stored as %+v, sent as %+v", filepath.Base(name), hm, wm)
		}
		if wm.syntax == DeflatedExplicitVRLittleEndian && len(want)%2 == 1 {
			want = append(want, 0) // senders pad a deflate stream (PS3.5 A.5)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s: stored data set differs (%d bytes, sent %d)", filepath.Base(name), len(have), len(want))
		}
	}
}

func TestEchoSCU(t *testing.T) {
	r := start(t, Config{Callers: []Caller{{AETitle: "FRIEND"}}})
	mustTool(t, "echoscu", "-aet", "FRIEND", "-aec", "HALSTED", "127.0.0.1", r.port)
	for _, c := range []struct{ calling, called, want string }{
		{"FRIEND", "WRONG", "Called AE Title Not Recognized"},
		{"STRANGER", "HALSTED", "Calling AE Title Not Recognized"},
	} {
		out, err := tool(t, "echoscu", "-aet", c.calling, "-aec", c.called, "127.0.0.1", r.port)
		if err == nil || !strings.Contains(out, c.want) {
			t.Errorf("%s calls %s: %v, want a rejection with %q:\n%s", c.calling, c.called, err, c.want, out)
		}
	}
}

// TestStoreSCU sends with dcmtk in the ways its users do.
func TestStoreSCU(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
	}{
		{"all contexts", nil},
		{"required contexts", []string{"-R"}},
		{"small PDUs", []string{"-R", "-pdu", "4096", "--max-send-pdu", "4096"}},
		{"large PDUs", []string{"-R", "-pdu", "131072", "--max-send-pdu", "131072"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, Config{})
			in := t.TempDir()
			files := writeSeries(t, in, "1.2.3.4.5", 10, 64)
			args := append([]string{"-aec", "HALSTED"}, c.args...)
			mustTool(t, "storescu", append(args, "127.0.0.1", r.port, "+sd", in)...)
			sameFiles(t, r, files)
			a := r.wait(t)
			if !a.Released || len(a.Series) != 1 || a.Count() != 10 || a.CallingAE != "STORESCU" {
				t.Fatalf("arrival %+v", a)
			}
			s := a.Series[0]
			if s.StudyUID != testStudy || s.SeriesUID != "1.2.3.4.5" {
				t.Errorf("arrival names study %s, series %s", s.StudyUID, s.SeriesUID)
			}
			for _, st := range s.Instances {
				if filepath.Dir(st.Path) != filepath.Join(r.path, testStudy, "1.2.3.4.5") {
					t.Errorf("instance stored at %s", st.Path)
				}
			}
			// Again: one copy, success, counted.
			mustTool(t, "storescu", append(args, "127.0.0.1", r.port, "+sd", in)...)
			sameFiles(t, r, files)
			if got := r.dir.Counts(); got != (Counts{Stored: 10, Duplicates: 10}) {
				t.Errorf("counts %+v", got)
			}
			if strings.Contains(r.log.String(), "SYNTH") || strings.Contains(r.log.String(), "1.2.3.4.5.") {
				t.Errorf("the log names a patient or an instance:\n%s", r.log)
			}
		})
	}
}

// variants writes one slice per transfer syntax with dcmtk's converters and
// returns file name and storescu option of each.
func variants(t *testing.T, dir string) map[string]string {
	t.Helper()
	made := map[string]string{}
	for i, v := range []struct{ option, program, flag string }{
		{"-xe", "", ""},
		{"-xi", "dcmconv", "+ti"},
		{"-xb", "dcmconv", "+tb"},
		{"-xd", "dcmconv", "+td"},
		{"-xr", "dcmcrle", ""},
		{"-xs", "dcmcjpeg", "+e1"},
		{"-xt", "dcmcjpls", "+el"},
	} {
		series := fmt.Sprintf("1.2.3.4.9.%d", i)
		src := writeSeries(t, t.TempDir(), series, 1, 64)[0]
		name := filepath.Join(dir, fmt.Sprintf("variant%d.dcm", i))
		switch {
		case v.program == "":
			b, err := os.ReadFile(src)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		case v.flag == "":
			mustTool(t, v.program, src, name)
		default:
			mustTool(t, v.program, v.flag, src, name)
		}
		made[name] = v.option
	}
	return made
}

// TestTransferSyntaxes stores one slice in each transfer syntax, once with
// storescu and once with Store, and expects each data set unchanged.
func TestTransferSyntaxes(t *testing.T) {
	made := variants(t, t.TempDir())
	var files []string
	for name := range made {
		files = append(files, name)
	}
	t.Run("storescu", func(t *testing.T) {
		r := start(t, Config{})
		for name, option := range made {
			mustTool(t, "storescu", "-R", option, "-aec", "HALSTED", "127.0.0.1", r.port, name)
		}
		sameFiles(t, r, files)
		for _, name := range received(t, r.path) {
			mustTool(t, "dcmftest", name)
			mustTool(t, "dcmdump", "-q", "+L", name) // parses whole file, header included
		}
	})
	t.Run("Store", func(t *testing.T) {
		r := start(t, Config{})
		results, err := Store(context.Background(), r.addr, storeAE, files, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, res := range results {
			if res.Err != nil || res.Status != StatusSuccess {
				t.Errorf("%s: %04X %v", filepath.Base(res.File), res.Status, res.Err)
			}
		}
		sameFiles(t, r, files)
	})
}

// storeSCP runs dcmtk's receiver on a free port.
func storeSCP(t *testing.T, dir string, args ...string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	ln.Close()
	path, err := exec.LookPath("storescp")
	if err != nil {
		t.Fatal("storescp is missing: install the Debian package dcmtk (make setup does)")
	}
	cmd := exec.Command(path, append(args, "-od", dir, port)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	addr := "127.0.0.1:" + port
	for range 200 {
		if err = Echo(context.Background(), addr, AE{}); err == nil {
			return addr
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("storescp does not answer: %v", err)
	return ""
}

// TestStoreToSCP sends with Store to dcmtk's receiver.
func TestStoreToSCP(t *testing.T) {
	for _, pdu := range []string{"4096", "131072"} {
		out := t.TempDir()
		addr := storeSCP(t, out, "-aet", "THEM", "+xa", "-pdu", pdu)
		files := writeSeries(t, t.TempDir(), "1.2.3.4.6", 8, 128)
		last := 0.0
		results, err := Store(context.Background(), addr, AE{Called: "THEM"}, files, func(done float64) {
			if done <= last || done > 1 {
				t.Errorf("progress %v after %v", done, last)
			}
			last = done
		})
		if err != nil {
			t.Fatal(err)
		}
		if last != 1 {
			t.Errorf("progress ended at %v", last)
		}
		got := received(t, out)
		if len(got) != len(files) {
			t.Fatalf("storescp holds %d files of %d", len(got), len(files))
		}
		for i, res := range results {
			want, _ := body(t, files[i])
			have, m := body(t, filepath.Join(out, "CT."+res.SOPInstanceUID))
			if res.Status != StatusSuccess || m.syntax != ExplicitVRLittleEndian || !bytes.Equal(have, want) {
				t.Errorf("%s: status %04X, syntax %s, %d bytes of %d", res.File, res.Status, m.syntax, len(have), len(want))
			}
		}
	}
}

// TestStoreToPickySCP sends a compressed file to a receiver that takes native
// ones only: that file fails with a reason, the others arrive.
func TestStoreToPickySCP(t *testing.T) {
	out := t.TempDir()
	addr := storeSCP(t, out)
	in := t.TempDir()
	files := writeSeries(t, in, "1.2.3.4.7", 2, 64)
	rle := filepath.Join(in, "rle.dcm")
	mustTool(t, "dcmcrle", files[0], rle)
	results, err := Store(context.Background(), addr, AE{}, []string{rle, files[1]}, nil)
	incomplete, ok := errors.AsType[*IncompleteError](err)
	if !ok || incomplete.Failed != 1 || incomplete.File != "rle.dcm" {
		t.Fatalf("error %v, want one failed file", err)
	}
	if results[0].Err == nil || results[1].Err != nil || len(received(t, out)) != 1 {
		t.Errorf("results %+v", results)
	}
}
