package conformance

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func TestDifference_Promise(t *testing.T) {
	t.Parallel()
	const recorded = `{"responses":[{"data":{"a":1}},{"data":2}],"http_requests":[{"path":"/x"}]}`
	for name, c := range map[string]struct{ entry, want string }{
		"set":             {`"set":{"/responses/0/data/a":7}`, `{"responses":[{"data":{"a":7}},{"data":2}],"http_requests":[{"path":"/x"}]}`},
		"set a new one":   {`"set":{"/responses/0/data/b":7}`, `{"responses":[{"data":{"a":1,"b":7}},{"data":2}],"http_requests":[{"path":"/x"}]}`},
		"append":          {`"set":{"/http_requests/1":7}`, `{"responses":[{"data":{"a":1}},{"data":2}],"http_requests":[{"path":"/x"},7]}`},
		"remove":          {`"remove":["/responses/0/data/a","/http_requests/0"]`, `{"responses":[{"data":{}},{"data":2}],"http_requests":[]}`},
		"replace":         {`"responses":[null,{"data":3}]`, `{"responses":[{"data":{"a":1}},{"data":3}],"http_requests":[{"path":"/x"}]}`},
		"replace by less": {`"responses":[{"data":3}],"http_requests":[]`, `{"responses":[{"data":3}],"http_requests":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, err := ParseDifferences(`[{"case":"a/b","reason":"why.",` + c.entry + `}]`)
			if err != nil {
				t.Fatal(err)
			}
			got, err := table[0].Promise(parse(t, recorded))
			if err != nil || got.JSON() != c.want {
				t.Errorf("Promise() = %s, %v; want %s", got.JSON(), err, c.want)
			}
		})
	}
	for _, pointer := range []string{"/responses/9/data", "/responses/x", "/nope/deep", "/responses/1/data/x"} {
		table, err := ParseDifferences(`[{"case":"a/b","reason":"why.","set":{"` + pointer + `":1}}]`)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := table[0].Promise(parse(t, recorded)); !fault.Is(err, fault.Invalid) {
			t.Errorf("Promise() with %s = %s, %v; want an error of kind %v", pointer, got.JSON(), err, fault.Invalid)
		}
	}
}

func TestParseDifferences_Refuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON":        `[`,
		"no list":        `{}`,
		"unknown member": `[{"case":"a","reason":"r","respones":[]}]`,
		"no case":        `[{"reason":"r","responses":[]}]`,
		"no reason":      `[{"case":"a","responses":[]}]`,
		"no promise":     `[{"case":"a","reason":"r"}]`,
		"twice":          `[{"case":"a","reason":"r","responses":[]},{"case":"a","reason":"r","responses":[]}]`,
	} {
		if _, err := ParseDifferences(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseDifferences with %s: error = %v, want one of kind %v", name, err, fault.Invalid)
		}
	}
}

// FuzzDifferences checks that no table and no recording panics.
func FuzzDifferences(f *testing.F) {
	f.Add(`[{"case":"a","reason":"r","set":{"/responses/0":1},"remove":["/x"],"responses":[null]}]`, `{"responses":[1],"x":2}`)
	f.Add(`[{"case":"a","reason":"r","set":{"":1}}]`, `[]`)
	f.Fuzz(func(t *testing.T, text, recorded string) {
		table, err := ParseDifferences(text)
		if err != nil {
			return
		}
		base, err := value.Parse(recorded)
		if err != nil {
			return
		}
		for _, d := range table {
			promised, err := d.Promise(base)
			if err != nil || strings.Contains(promised.JSON(), "<VARIES:") {
				continue
			}
			if diffs := Compare(promised, promised); len(diffs) > 0 {
				t.Errorf("%s differs from itself: %v", promised.JSON(), diffs)
			}
		}
	})
}
