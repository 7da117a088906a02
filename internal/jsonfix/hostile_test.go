package jsonfix

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/value"
)

// hostile are pieces that repeat to texts which send a careless reader back again and again.
func hostile() []string {
	return []string{
		"{", "[", "[[{", "{{{{", `{"a":`, "{'", `"`, "'", "`", `\`, `\"`, "“", `"a`, `"a,`, `"a:`, `"a" `, `"a""`, `"a"+`, "'a\n",
		`{"a":"b`, `{"a":"b,"c":`, `["x:"y`, "/*", "/**/", "//", "//\n", "/", "/a/", "...", ",", ":", "+", "f(", "f (", "```", "```json\n",
		"1", "-", "1,", ".", "true ", "a b", "a:", "http://", " ", "\u00a0", "\n", "{a\n", `"\u`, `"\ud800`, "\x00", "\xff", `"a\," x`,
	}
}

// TestT47_LinearRepair: reading costs a bounded number of looks for each byte, whatever the text and its size.
func TestT47_LinearRepair(t *testing.T) {
	t.Parallel()
	for _, piece := range hostile() {
		for _, before := range []string{"", "[", `{"a":"`, "{'"} {
			for _, size := range []int{1 << 12, 1 << 14} {
				text := (before + strings.Repeat(piece, size/len(piece)+1))[:size]
				r := newReader(text)
				r.root()
				// The last look that is paid for may be as long as the text.
				if spent, most := effort*size+slack-r.budget, (effort+1)*size+slack; spent > most {
					t.Errorf("%q and %d bytes of %q: %d looks, want at most %d", before, size, piece, spent, most)
				}
			}
		}
	}
}

// TestT47_HonestTextsAreCheap: texts as people and models write them stay far from the bound.
func TestT47_HonestTextsAreCheap(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"{" + strings.Repeat("name: 'Ann said \"hello\"', tags: [a, b,], // note\n", 500) + "}",
		"[" + strings.Repeat(`"a" + "b" + "c", `, 500),
		"[" + strings.Repeat("{'it': None, 'ok': True, 'n': 1.5},\n", 500),
		`{"text": "` + strings.Repeat(`He said "no" and then left. `, 500) + `"}`,
	} {
		r := newReader(text)
		r.root()
		if spent := effort*len(text) + slack - r.budget; r.err != nil || spent > effort*len(text)/2 {
			t.Errorf("%.40q…: %d looks at %d bytes, %v; want at most %d and no fault", text, spent, len(text), r.err, effort*len(text)/2)
		}
	}
}

// TestT47_Limits: texts over a limit are refused by its name, and a lenient caller gets them back as text.
func TestT47_Limits(t *testing.T) {
	t.Parallel()
	def := limits.Default()
	tests := []struct {
		name, text, want string // the texts are as large as the attack has them
	}{
		{"a million open arrays", strings.Repeat("[", 1_000_000), limits.JSONDepth},
		{"a million open objects", strings.Repeat("{a:", 1_000_000), limits.JSONDepth},
		{"a million calls", "[" + strings.Repeat("f(", 1_000_000), limits.JSONDepth},
		{"ten million numbers", "[" + strings.Repeat("1,", def.JSONBytes/2-1), limits.JSONValues},
		{"values on lines", "{" + strings.Repeat("a\n", def.JSONBytes/2-1), limits.JSONValues},
		{"one endless string", `["` + strings.Repeat("x", def.JSONBytes), limits.JSONBytes},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(test.text)
			if got, want := fault.CodeOf(err), fmt.Sprintf("LIMIT_EXCEEDED(%s)", test.want); got != want || !fault.Is(err, fault.Limit) {
				t.Errorf("Parse() = %v with code %s, want %s", err, got, want)
			}
			if len(test.text) > 3_000_000 {
				return // the lenient form reads twice: the deep texts stand for all
			}
			if got := TryParse(test.text); !value.Equal(got, value.Of(test.text)) {
				t.Errorf("TryParse() = a %s, want the text as it is", got.Kind())
			}
		})
	}
}

// TestT47_NestedBraces: ten megabytes of braces end at the limit of depth, without a deep stack.
func TestT47_NestedBraces(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("{", limits.Default().JSONBytes)
	if v, err := Parse(text); err == nil && v.Kind() != value.Object {
		t.Errorf("Parse() = a %s, want an object or a fault", v.Kind())
	}
	if got := TryFullParse(text); !got.IsObject() {
		t.Errorf("TryFullParse() = a %s, want an object", got.Kind())
	}
}

// TestT47_HugeExponents: they become infinite or 0, as in JavaScript, at once.
func TestT47_HugeExponents(t *testing.T) {
	t.Parallel()
	nines := strings.Repeat("9", 100_000)
	got, err := Parse("{a: 1e" + nines + ", b: 1e-" + nines + ", c: -1e" + nines + "}")
	if want := `{"a":null,"b":0,"c":null}`; err != nil || got.JSON() != want {
		t.Errorf("Parse() = %.80s, %v; want %s", got.JSON(), err, want)
	}
}
