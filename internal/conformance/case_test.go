package conformance

import (
	"testing"

	"github.com/sre-go/sre/value"
)

// FuzzCase checks that no case.json panics, and that each request of one that is read can be made or is refused.
func FuzzCase(f *testing.F) {
	f.Add(`{"requests":[{"method":"POST","path":"/api/x","body":{"a":"${RESP:0:data.x}"},"files":[{"base64":"AA=="}],"kill":{"after_ms":1}}]}`)
	f.Add(`{"kind":"kernel","ops":[{"op":"json","text":"{"}]}`)
	f.Add(`{"kind":"conversation","model":"m","prompts":[{"message":"x"}],"llm":[{"reply":{}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		c := &Case{}
		if err := parseCase(text, c); err != nil {
			return
		}
		if len(c.Requests)+len(c.Ops) == 0 && c.Kind != KindConversation {
			t.Errorf("case of kind %s with nothing to do", c.Kind)
		}
		for _, s := range c.Requests {
			if _, err := s.Request(places, []value.Value{value.List(value.OfInt(1))}); err != nil && s.fields.Get("files").Len() == 0 {
				t.Errorf("request %s: %v", s.fields.JSON(), err)
			}
		}
	})
}
