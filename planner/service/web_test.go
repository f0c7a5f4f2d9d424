package service

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	pb "halsted/proto/halsted/v1"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// envelope puts a message into gRPC's length-prefixed form.
func envelope(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	must(t, err)
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...)
}

// post sends one HTTP/1.1 request, as a browser does.
func (r *rig) post(t *testing.T, path, contentType string, body []byte, change func(*http.Request)) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(testContext(t), http.MethodPost, "http://"+r.addr+path, bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Connect-Protocol-Version", "1") // tells Connect's JSON from any other
	if change != nil {
		change(req)
	}
	tr := &http.Transport{DisableCompression: true}
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(req)
	must(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp, b
}

// webMessages splits a gRPC-Web body into messages and the trailer text.
func webMessages(t *testing.T, b []byte) (msgs [][]byte, trailer string) {
	t.Helper()
	for len(b) > 0 {
		if len(b) < 5 || uint32(len(b)-5) < binary.BigEndian.Uint32(b[1:]) {
			t.Fatalf("%d bytes are no envelope", len(b))
		}
		n := 5 + int(binary.BigEndian.Uint32(b[1:]))
		if b[0]&0x80 != 0 {
			trailer = strings.ToLower(string(b[5:n]))
		} else {
			msgs = append(msgs, b[5:n])
		}
		b = b[n:]
	}
	return msgs, trailer
}

// The same frames come over gRPC, gRPC-Web and Connect from one port.
func TestThreeProtocolsOnOnePort(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(8, 5, nil))
	plan := r.plan(t)
	run := r.run(t, plan, "a")
	want := r.watchAll(t, run)

	resp, b := r.post(t, "/halsted.v1.PlanService/GetPlan", "application/grpc-web+proto", envelope(t, &pb.GetPlanRequest{Name: plan}), nil)
	msgs, trailer := webMessages(t, b)
	var p pb.GetPlanResponse
	if resp.StatusCode != 200 || len(msgs) != 1 || !strings.Contains(trailer, "grpc-status: 0") || proto.Unmarshal(msgs[0], &p) != nil || p.Plan.Name != plan {
		t.Errorf("gRPC-Web unary: %s, %d messages, trailer %q", resp.Status, len(msgs), trailer)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/grpc-web+proto" {
		t.Errorf("gRPC-Web answers with %s", ct)
	}
	_, b = r.post(t, "/halsted.v1.FrameService/WatchFrames", "application/grpc-web+proto", envelope(t, &pb.WatchFramesRequest{Run: run, Epoch: 1, AfterSeq: 2}), nil)
	msgs, trailer = webMessages(t, b)
	got := &seen{}
	for _, m := range msgs {
		var e pb.WatchFramesResponse
		must(t, proto.Unmarshal(m, &e))
		got.take(&e)
	}
	sameFrames(t, "gRPC-Web", got.frames, want.frames[2:])
	if !strings.Contains(trailer, "grpc-status: 0") || !proto.Equal(got.last, want.last) {
		t.Errorf("gRPC-Web stream ended with %q, %v", trailer, got.last)
	}
	resp, b = r.post(t, "/halsted.v1.RunService/GetRun", "application/grpc-web+proto", envelope(t, &pb.GetRunRequest{Name: plan}), nil)
	if len(b) != 0 || resp.Header.Get("Grpc-Status") != "3" || !strings.Contains(resp.Header.Get("Grpc-Message"), "name:") {
		t.Errorf("gRPC-Web error: %v, %q", resp.Header, b)
	}

	resp, b = r.post(t, "/halsted.v1.PlanService/GetPlan", "application/json", []byte(`{"name":"`+plan+`"}`), nil)
	var pj pb.GetPlanResponse
	if resp.StatusCode != 200 || protojson.Unmarshal(b, &pj) != nil || !proto.Equal(&pj, &p) {
		t.Errorf("Connect JSON: %s, %s", resp.Status, b)
	}
	body := []byte(`{"run":"` + run + `"}`)
	body = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
	_, b = r.post(t, "/halsted.v1.FrameService/WatchFrames", "application/connect+json", body, nil)
	got = &seen{}
	for len(b) > 0 {
		n := 5 + int(binary.BigEndian.Uint32(b[1:]))
		if b[0]&2 != 0 { // the end of a Connect stream
			if end := string(bytes.TrimSpace(b[5:n])); end != "{}" {
				t.Errorf("Connect stream ended with %s", b[5:n])
			}
		} else {
			var e pb.WatchFramesResponse
			must(t, protojson.Unmarshal(b[5:n], &e))
			got.take(&e)
		}
		b = b[n:]
	}
	sameFrames(t, "Connect", got.frames, want.frames)

	resp, b = r.post(t, "/halsted.v1.RunService/CreateRun", "application/json", []byte(`{"parent":"`+plan+`"}`), nil)
	var e struct {
		Code, Message string
		Details       []struct{ Type, Value string }
	}
	must(t, json.Unmarshal(b, &e))
	if resp.StatusCode != 400 || e.Code != "invalid_argument" || !strings.Contains(e.Message, "request_id") || len(e.Details) != 1 {
		t.Errorf("Connect error: %s, %s", resp.Status, b)
	} else if d, err := base64.RawStdEncoding.DecodeString(e.Details[0].Value); err != nil || !bytes.Contains(d, []byte("request_id")) {
		t.Errorf("detail %q, %v", d, err)
	}
}

// No protocol lets a stranger in, or a page of another site.
func TestGuardStandsBeforeEveryProtocol(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	plan := r.plan(t)
	for _, q := range []struct {
		contentType string
		body        []byte
	}{
		{"application/grpc-web+proto", envelope(t, &pb.GetPlanRequest{Name: plan})},
		{"application/json", []byte(`{"name":"` + plan + `"}`)},
		{"application/grpc", envelope(t, &pb.GetPlanRequest{Name: plan})},
	} {
		for _, c := range []struct {
			name   string
			change func(*http.Request)
			want   int
		}{
			{"no token", func(q *http.Request) { q.Header.Del("Authorization") }, http.StatusUnauthorized},
			{"wrong token", func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+r.token[1:]) }, http.StatusUnauthorized},
			{"wrong host", func(q *http.Request) { q.Host = "evil.example:80" }, http.StatusMisdirectedRequest},
			{"empty host", func(q *http.Request) { q.Host = "." }, http.StatusMisdirectedRequest},
			{"foreign page", func(q *http.Request) { q.Header.Set("Origin", "https://evil.example") }, http.StatusForbidden},
		} {
			resp, b := r.post(t, "/halsted.v1.PlanService/GetPlan", q.contentType, q.body, c.change)
			if resp.StatusCode != c.want || bytes.Contains(b, []byte(plan)) {
				t.Errorf("%s, %s: %s", q.contentType, c.name, resp.Status)
			}
			if o := resp.Header.Get("Access-Control-Allow-Origin"); o != "" {
				t.Errorf("%s, %s: allows origin %s", q.contentType, c.name, o)
			}
		}
	}
	if resp, _ := r.post(t, "/halsted.v1.PlanService/NoSuchMethod", "application/json", []byte(`{}`), nil); resp.StatusCode != 404 {
		t.Errorf("an unknown method: %s", resp.Status)
	}
}

// Neither a long body nor one that unpacks to a long message is taken in.
func TestLongBodies(t *testing.T) {
	r := newRig(t, t.TempDir(), bender(2, 1, nil))
	long := []byte(`{"name":"` + strings.Repeat("x", maxBodyBytes) + `"}`)
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	must(t, err)
	z.Write([]byte(`{"name":"`))
	for range MaxFrameBytes>>20 + 1 { // more than is ever unpacked
		z.Write(bytes.Repeat([]byte("x"), 1<<20))
	}
	z.Write([]byte(`"}`))
	must(t, z.Close())
	gzipped := func(q *http.Request) { q.Header.Set("Content-Encoding", "gzip") }
	for name, c := range map[string]struct {
		body   []byte
		change func(*http.Request)
	}{"long": {long, nil}, "bomb": {packed.Bytes(), gzipped}} {
		resp, b := r.post(t, "/halsted.v1.PlanService/GetPlan", "application/json", c.body, c.change)
		if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusRequestEntityTooLarge || len(b) > 1000 {
			t.Errorf("%s: %s, %.200s", name, resp.Status, b)
		}
	}
	if resp, _ := r.post(t, "/halsted.v1.CaseService/ListCases", "application/json", []byte(`{}`), nil); resp.StatusCode != 200 {
		t.Errorf("afterwards: %s", resp.Status)
	}
}
