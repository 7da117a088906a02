package sre_test

import (
	"strings"
	"testing"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/internal/agentfile"
	"github.com/sre-go/sre/internal/largevalue"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// TestDebug_LargeValues: a large text in the state of a debug session lies in storage between its requests, and comes
// back in the answer.
func TestDebug_LargeValues(t *testing.T) {
	t.Parallel()
	rt := start(t, `{}`)
	file, err := value.Parse(`{"id":"big","name":"Big","components":[
		{"id":"EP","name":"APIEndpoint","data":{"endpoint":"go"},"inputs":[{"name":"text","type":"Text"}],"outputs":[{"name":"body.text"}]},
		{"id":"OUT","name":"APIOutput","data":{"format":"minimal"},"inputs":[{"name":"text","type":"Any"}],"outputs":[]}],
		"connections":[{"sourceId":"EP","sourceIndex":0,"targetId":"OUT","targetIndex":0}]}`)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := agentfile.FromValue(file, rt.Manager().Bounds())
	if err != nil {
		t.Fatal(err)
	}
	a, err := rt.Load(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("large ", largevalue.Threshold)
	step := func(session, method string) value.Value {
		t.Helper()
		body, headers := value.Obj(value.M("text", value.Of(big))), value.Obj(value.M("X-DEBUG-RUN", value.Of(session)))
		res, err := a.Run(t.Context(), sre.Request{Method: method, Path: "/api/go", Body: body, Headers: headers, Debugger: true})
		if err != nil {
			t.Fatal(err)
		}
		return res.Data
	}
	first := step("", "POST")
	session := first.GetString("dbgSession")
	kept, err := rt.As(a.Candidate()).Storage().List(t.Context(), "teams/", storage.Page{})
	if err != nil || len(kept.Objects) != 1 || kept.Objects[0].Size != int64(len(big)) || kept.Objects[0].Expires.IsZero() {
		t.Fatalf("storage holds %v, %v; want the large text, for a while", kept.Objects, err)
	}
	last := first
	for range 5 {
		if last = step(session, "POST"); last.Get("finalResult").JSON() != "null" && strings.Contains(last.JSON(), "large large") {
			break
		}
	}
	if !strings.Contains(last.JSON(), big) {
		t.Errorf("the session ends in %.300s, want the large text", last.JSON())
	}
}
