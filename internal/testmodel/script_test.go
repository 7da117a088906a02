package testmodel

import (
	"slices"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func TestRule_Matches(t *testing.T) {
	t.Parallel()
	const chat = `{"model":"m","stream":true,"tools":[{}],"messages":[{"role":"developer","content":"be kind"},
		{"role":"user","content":[{"type":"text","text":"first"},{"type":"image_url"},{"type":"text","text":"second"}]},
		{"role":"assistant","content":null},{"role":"tool","content":"result"}]}`
	const responses = `{"model":"m","instructions":"be kind","input":[{"role":"user","content":"hello"},
		{"type":"function_call","name":"f"},{"type":"function_call_output","output":"result"}]}`
	const anthropic = `{"model":"m","system":[{"type":"text","text":"be kind"}],"messages":[{"role":"user","content":"hello"},
		{"role":"assistant","content":[{"type":"tool_use"}]},
		{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"res"}]},{"type":"tool_result","content":"ult"}]}]}`
	for name, c := range map[string]struct {
		read       func(value.Value) exchange
		body, when string
		want       bool
	}{
		"no conditions":         {readChat, chat, `{}`, true},
		"model":                 {readChat, chat, `{"model":"m"}`, true},
		"other model":           {readChat, chat, `{"model":"n"}`, false},
		"stream":                {readChat, chat, `{"stream":true}`, true},
		"not stream":            {readChat, chat, `{"stream":false}`, false},
		"tools":                 {readChat, chat, `{"has_tools":true}`, true},
		"no tools":              {readAnthropic, anthropic, `{"has_tools":false}`, true},
		"last role":             {readChat, chat, `{"last_role":"tool"}`, true},
		"last text":             {readChat, chat, `{"last_contains":"esul"}`, true},
		"parts are joined":      {readChat, chat, `{"user_contains":"first\nsecond"}`, true},
		"developer is system":   {readChat, chat, `{"system_contains":"kind"}`, true},
		"one of two":            {readChat, chat, `{"last_role":"tool","model":"n"}`, false},
		"responses, tool":       {readResponses, responses, `{"last_role":"tool","last_contains":"result"}`, true},
		"responses, system":     {readResponses, responses, `{"system_contains":"kind","user_contains":"hello"}`, true},
		"responses, text input": {readResponses, `{"input":"hello"}`, `{"last_role":"user","user_contains":"hello"}`, true},
		"anthropic, tool":       {readAnthropic, anthropic, `{"last_role":"tool","last_contains":"res\nult"}`, true},
		"anthropic, user":       {readAnthropic, anthropic, `{"user_contains":"hello","system_contains":"be kind"}`, true},
		"no messages":           {readChat, `{}`, `{"last_role":"user"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := ParseScript(parse(t, `[{"when":`+c.when+`,"reply":{}}]`))
			if err != nil {
				t.Fatal(err)
			}
			if got := s.rules[0].matches(c.read(parse(t, c.body))); got != c.want {
				t.Errorf("matches(%s) = %v, want %v", c.when, got, c.want)
			}
		})
	}
}

func TestReply_Echo(t *testing.T) {
	t.Parallel()
	x := readChat(parse(t, `{"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}`))
	for echo, want := range map[string]string{
		"user": "u", "last": "a", "system": "s",
		"messages": `[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]`,
	} {
		if got, ok := (reply{echo: echo}).answer(x, 0, 1); got != want || !ok {
			t.Errorf("echo %s = %q, want %q", echo, got, want)
		}
	}
}

func TestParseScript_Refuses(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"rule": `[{"reply":{},"unless":{}}]`, "condition": `[{"when":{"role":"user"},"reply":{}}]`,
		"reply": `[{"reply":{"txt":"x"}}]`, "echo": `[{"reply":{"echo":"first"}}]`, "tool": `[{"reply":{"tools":[{"nam":"f"}]}}]`,
	} {
		if _, err := ParseScript(parse(t, script)); !fault.Is(err, fault.Invalid) {
			t.Errorf("ParseScript with an unknown %s: error = %v, want one of kind %v", name, err, fault.Invalid)
		}
	}
}

func TestSplitAndHalves(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"": nil, "a": {"a"}, "  a b\n\nc ": {"  ", "a ", "b\n\n", "c "}, "ä\u00a0ö": {"ä\u00a0", "ö"}, " ": {" "},
	} {
		if got := split(text); !slices.Equal(got, want) {
			t.Errorf("split(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string][2]string{
		"": {"", ""}, "abc": {"a", "bc"}, `{"text":"abc"}`: {`{"text"`, `:"abc"}`}, "😀": {"", "😀"}, "a😀b": {"a", "😀b"},
	} {
		if got := halves(text); got != want {
			t.Errorf("halves(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestEmbeddings(t *testing.T) {
	t.Parallel()
	v := embeddings(parse(t, `{"model":"e","input":["Alpha beta, ALPHA!",""],"dimensions":8}`))
	vector := v.Get("data").At(0).Get("embedding")
	sum := 0.0
	for _, n := range vector.Items() {
		f, _ := n.Num()
		sum += f
	}
	if vector.Len() != 8 || sum != 3 {
		t.Errorf("embedding = %s, want 8 numbers that count 3 words", vector.JSON())
	}
	if got := v.Get("data").At(1).Get("embedding").JSON(); got != "[0,0,0,0,0,0,0,0]" {
		t.Errorf("embedding of nothing = %s", got)
	}
	packed := embeddings(parse(t, `{"input":"a","dimensions":2,"encoding_format":"base64"}`)).Get("data").At(0).GetString("embedding")
	// fnv1a32("a") is 0xe40c292c, an even number; 1 is 0x3f800000.
	if want := "AACAPwAAAAA="; packed != want {
		t.Errorf("packed = %q, want %q", packed, want)
	}
	for _, dimensions := range []string{"-1", "1e12", `"x"`, "null"} {
		v := embeddings(parse(t, `{"input":"a","dimensions":`+dimensions+`}`))
		if got := v.Get("data").At(0).Get("embedding").Len(); got != defaultDimensions {
			t.Errorf("dimensions %s gave %d, want %d", dimensions, got, defaultDimensions)
		}
	}
}

// FuzzExchange checks that no body and no script panics, and that all of a text is in its pieces.
func FuzzExchange(f *testing.F) {
	f.Add(`{"messages":[{"role":"user","content":"a b"}]}`, `[{"when":{"last_role":"user"},"reply":{"echo":"messages"}}]`)
	f.Add(`{"input":[{"type":"function_call_output","output":[{}]}],"system":3}`, `[{"times":-3,"reply":{"tools":[1]}}]`)
	f.Add(`{"messages":[{"role":"user","content":[{"toolResult":{"content":[{"text":"r"}]}}]}]}`, `[{"chance":0.5,"reply":{"words":3,"tools":[{"name":"f","args":"${count}","repeat":3}],"cut_bytes":1}}]`)
	f.Fuzz(func(t *testing.T, body, script string) {
		b, err := value.Parse(body)
		if err != nil {
			return
		}
		rules, err := value.Parse(script)
		if err != nil {
			return
		}
		s, err := ParseScript(rules)
		if err != nil {
			return
		}
		for _, read := range []func(value.Value) exchange{readChat, readResponses, readAnthropic, readConverse} {
			x := read(b)
			for _, r := range s.rules {
				r.matches(x)
				text, _ := r.reply.answer(x, 0, 1)
				if got := strings.Join(split(text), ""); got != text {
					t.Errorf("pieces of %q join to %q", text, got)
				}
				if cut := halves(text); cut[0]+cut[1] != text {
					t.Errorf("halves(%q) = %q", text, cut)
				}
			}
		}
		want := 1
		if input := b.Get("input"); input.IsArray() {
			want = input.Len()
		}
		if got := embeddings(b).Get("data").Len(); got != want {
			t.Errorf("%d embeddings, want %d", got, want)
		}
	})
}
