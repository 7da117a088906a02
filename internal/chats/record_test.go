package chats

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/internal/conversation"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// everything is an entry with every kind of content.
func everything() conversation.Entry {
	return conversation.Entry{ID: "m", At: time.Unix(12, 345).UTC(), Internal: true, Shown: "shown", Message: llm.Message{Role: llm.Assistant, Content: []llm.Content{
		llm.Text{Text: "text \"\n\x00"},
		llm.Text{Text: "signed", Signature: "s"},
		llm.Thinking{Text: "t", Signature: "s", Sealed: []byte{0, 255}},
		llm.ToolCall{ID: "c", Name: "pay", Arguments: "{broken", Signature: "s"},
		llm.ToolResult{CallID: "c", Name: "pay", Text: "done", Failed: true},
		llm.File{MIME: "image/png", Name: "a.png", Data: []byte{1, 2, 3}},
		llm.Image{MIME: "image/png", Data: []byte{4}, URL: "http://x.test", Prompt: "p"},
		llm.Text{}, llm.Thinking{}, llm.ToolCall{}, llm.ToolResult{}, llm.File{}, llm.Image{},
	}}}
}

func TestRecord_ReadsBack(t *testing.T) {
	t.Parallel()
	for _, e := range []conversation.Entry{everything(), {Message: llm.Message{Role: llm.User}}} {
		got, err := decode(encode(e))
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("decode(encode()) = %+v, %v, want %+v", got, err, e)
		}
	}
}

func TestDecode_Refuses(t *testing.T) {
	t.Parallel()
	good := encode(everything())
	for name, bad := range map[string]string{
		"no JSON":      good[:len(good)-1],
		"no object":    `[]`,
		"role":         strings.Replace(good, `"role":"assistant"`, `"role":"root"`, 1),
		"time":         strings.Replace(good, `"at":"1970`, `"at":"xxxx`, 1),
		"content":      strings.Replace(good, `"type":"call"`, `"type":"shell"`, 1),
		"base64":       strings.Replace(good, `"data":"AQID"`, `"data":"AQI"`, 1),
		"sealed":       strings.Replace(good, `"sealed":"AP8="`, `"sealed":"*"`, 1),
		"image base64": strings.Replace(good, `"data":"BA=="`, `"data":"BA"`, 1),
	} {
		if bad == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if e, err := decode(bad); err == nil {
			t.Errorf("%s: decode() = %+v, want an error", name, e)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(everything()))
	f.Add(`{"at":"2026-01-02T03:04:05Z","role":"user","content":[{"type":"text","text":"x"}]}`)
	f.Add(`{"content":[{"type":"file","data":"=="}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := decode(text)
		if err != nil {
			return
		}
		again, err := decode(encode(e))
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("decode(encode(%+v)) = %+v, %v", e, again, err)
		}
	})
}
