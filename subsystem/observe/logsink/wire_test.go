package logsink

import (
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/value"
)

func TestWire(t *testing.T) {
	t.Parallel()
	began := time.Unix(1_700_000_000, 5e6)
	full := Record{
		Source: "c1@APIEndpoint@1", Component: "c2@Code@2", Name: "Sum", Domain: "a.test", Step: 2, Workflow: "w", Process: "p", Session: "s", Tags: "DEBUG ",
		Input: value.Obj(value.M("a", value.OfInt(1))), Output: value.Of("abcdef"), Result: value.Of("äöüß!"), Error: "failed", Began: began, Ended: began.Add(time.Second),
	}
	tests := []struct {
		name    string
		r       Record
		preview int
		want    string
	}{
		{"nothing", Record{}, 5, `{}`},
		{"null", Record{Output: value.NullValue()}, 5, `{"output":{"preview":"null","full":null}}`},
		{"all", full, 5, `{"sourceId":"c1@APIEndpoint@1","componentId":"c2@Code@2","componentName":"Sum","domain":"a.test","step":2,"workflowID":"w","processID":"p","sessionID":"s","tags":"DEBUG ",` +
			`"inputTimestamp":"2023-11-14T22:13:20.005Z","outputTimestamp":"2023-11-14T22:13:21.005Z","input":{"preview":"{\"a\":...","full":null},"output":{"preview":"abcde...","full":null},` +
			`"result":"{\"preview\":\"äöüß!\",\"full\":null}","error":"{\"preview\":\"faile...\",\"full\":null}"}`},
	}
	for _, tt := range tests {
		if got := tt.r.Wire(tt.preview).JSON(); got != tt.want {
			t.Errorf("%s: Wire(%d) =\n%s, want\n%s", tt.name, tt.preview, got, tt.want)
		}
	}
	if got := begin(strings.Repeat("x", 10), 0); got != "..." {
		t.Errorf("nothing of a text = %q", got)
	}
}
