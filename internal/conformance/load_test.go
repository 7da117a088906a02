package conformance

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sre-go/sre/fault"
)

func recorded(t testing.TB) []*Case {
	t.Helper()
	cases, err := Load(os.DirFS("testdata"), nil)
	if err != nil {
		t.Fatalf("Load(testdata): %v", err)
	}
	return cases
}

func TestLoad_AllRecorded(t *testing.T) {
	t.Parallel()
	kinds := map[Kind]int{}
	for _, c := range recorded(t) {
		kinds[c.Kind]++
		if c.Area+"/"+strings.TrimPrefix(c.Name, c.Area+"/") != c.Name {
			t.Errorf("case %q is not in area %q", c.Name, c.Area)
		}
		if c.Kind == KindAgent && len(c.Components()) == 0 {
			t.Errorf("%s: agent without components", c.Name)
		}
	}
	for kind, want := range map[Kind]int{KindAgent: 321, KindKernel: 29, KindConversation: 14, KindSDK: 17} {
		if got := kinds[kind]; got != want {
			t.Errorf("%d cases of kind %s, want %d", got, kind, want)
		}
	}
}

func TestLoad_Folders(t *testing.T) {
	t.Parallel()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	one := func(under string) fstest.MapFS {
		return fstest.MapFS{
			under + "a/b/case.json":     file(`{"requests":[{"method":"POST","path":"/api/x","timeout_ms":1500,"wait_ms":2,"settle_ms":3}]}`),
			under + "a/b/agent.smyth":   file(`{"components":[{"name":"X"}]}`),
			under + "a/b/expected.json": file(`{"responses":[{"data":1}],"llm_requests":[]}`),
		}
	}
	shared := &Shared{}
	for name, under := range map[string]string{"a cases folder": "", "a folder that holds one": "cases/"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cases, err := Load(one(under), shared)
			if err != nil || len(cases) != 1 {
				t.Fatalf("Load() = %d cases, %v; want 1", len(cases), err)
			}
			c := cases[0]
			if c.Name != "a/b" || c.Area != "a" || c.Shared != shared || c.Kind != KindAgent || c.ReachesModel() {
				t.Errorf("Load() = %+v", c)
			}
			if s := c.Requests[0]; s.Timeout.Milliseconds() != 1500 || s.Wait.Milliseconds() != 2 || s.Settle.Milliseconds() != 3 {
				t.Errorf("times of request = %v %v %v", s.Timeout, s.Wait, s.Settle)
			}
		})
	}

	refused := map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"unknown member":         {func(f fstest.MapFS) { f["a/b/case.json"] = file(`{"requests":[{}],"retries":1}`) }, `"retries"`},
		"unknown request member": {func(f fstest.MapFS) { f["a/b/case.json"] = file(`{"requests":[{"proxy":1}]}`) }, `"proxy"`},
		"unknown kind":           {func(f fstest.MapFS) { f["a/b/case.json"] = file(`{"kind":"x"}`) }, `"x"`},
		"no requests":            {func(f fstest.MapFS) { f["a/b/case.json"] = file(`{}`) }, "no requests"},
		"no agent":               {func(f fstest.MapFS) { delete(f, "a/b/agent.smyth") }, "agent.smyth"},
		"no expected":            {func(f fstest.MapFS) { delete(f, "a/b/expected.json") }, "expected.json"},
		"too few responses":      {func(f fstest.MapFS) { f["a/b/expected.json"] = file(`{"responses":[]}`) }, "1 requests but 0"},
		"not JSON":               {func(f fstest.MapFS) { f["a/b/expected.json"] = file(`{`) }, "expected.json"},
		"too large":              {func(f fstest.MapFS) { f["a/b/agent.smyth"] = file(strings.Repeat(" ", maxFile+1)) }, "is over 8388608 bytes"},
		"no cases": {func(f fstest.MapFS) {
			for name := range f {
				delete(f, name)
			}
		}, "no cases"},
	}
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := one("")
			c.change(folder)
			_, err := Load(folder, shared)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load() error = %v, want one with %q", err, c.want)
			}
			if got, want := fault.Is(err, fault.Limit), name == "too large"; got != want {
				t.Errorf("Load() error is of kind %v", fault.KindOf(err))
			}
		})
	}
	if _, err := Load(one(""), nil); err == nil || !strings.Contains(err.Error(), "_shared") {
		t.Errorf("Load() without _shared: error = %v, want one that says so", err)
	}
	unclear := one("")
	unclear["a/b/case.json"] = file(`{"requests":[{}],"nondeterministic":"shape"}`)
	delete(unclear, "a/b/expected.json")
	if cases, err := Load(unclear, shared); err != nil || !cases[0].Unclear {
		t.Errorf("Load() of an unclear case = %v, %v; want it marked", cases, err)
	}
}
