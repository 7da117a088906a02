package googlellm_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/llm/llm"
)

// filling fills stand-ins as the door to the network does, shows what would be sent, and answers nothing.
type filling func(r *http.Request, body string)

// RoundTrip implements [http.RoundTripper].
func (f filling) RoundTrip(r *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body, err := secret.SlotsOf(r.Context()).Fill(string(data), r.URL.Hostname(), nil)
	if err != nil {
		return nil, err
	}
	f(r, body)
	return nil, http.ErrServerClosed
}

// uploads is a place for files as https://ai.google.dev/gemini-api/docs/files describes it. It looks through a file until it
// was asked twice.
type uploads struct {
	place string // to which files are to be sent, "" for its own address
	state string // of a file in the end

	mu    sync.Mutex
	log   []string
	sizes []int
	body  string // of the request for an answer
}

func (u *uploads) start(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	var s *httptest.Server
	say := func(w http.ResponseWriter, text string) { _, _ = io.WriteString(w, text) } // a client that goes away is no concern of the test
	asked := 0
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body) // the same
		u.mu.Lock()
		defer u.mu.Unlock()
		u.log = append(u.log, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Goog-Api-Key"))
		switch {
		case r.URL.Path == "/upload/v1beta/files":
			place := u.place
			if place == "" {
				place = s.URL
			}
			w.Header().Set("X-Goog-Upload-Url", place+"/put")
		case r.URL.Path == "/put":
			u.sizes = append(u.sizes, len(data))
			say(w, `{"file":{"name":"files/abc","uri":"https://files.test/abc","state":"PROCESSING"}}`)
		case r.URL.Path == "/v1beta/files/abc" && r.Method == http.MethodGet:
			if asked++; asked < 2 {
				say(w, `{"name":"files/abc","uri":"https://files.test/abc","state":"PROCESSING"}`)
				return
			}
			say(w, `{"name":"files/abc","uri":"https://files.test/abc","state":"`+u.state+`"}`)
		case r.URL.Path == "/v1beta/files/abc":
			say(w, `{}`)
		default:
			u.body = string(data)
			w.Header().Set("Content-Type", "text/event-stream")
			say(w, `data: {"candidates":[{"content":{"parts":[{"text":"fine"}]},"finishReason":"STOP"}]}`+"\n\n")
		}
	})
	s = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func large(model string) llm.Request {
	film := llm.File{MIME: "video/mp4", Data: bytes.Repeat([]byte("x"), 12<<20+1)}
	return llm.Request{Model: model, Messages: []llm.Message{{Role: llm.User, Content: []llm.Content{
		llm.Text{Text: "look"}, llm.File{MIME: "image/png", Data: []byte("y")}, film, film,
	}}}}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	u := &uploads{state: "ACTIVE"}
	got, err := llm.Collect(open(t, setup(t, u.start(t))).Stream(t.Context(), large("flash")))
	if err != nil || got.Text != "fine" {
		t.Fatalf("answer = %+v, %v", got, err)
	}
	want := []string{
		"POST /upload/v1beta/files canary-key", "POST /put canary-key", "GET /v1beta/files/abc canary-key", "GET /v1beta/files/abc canary-key",
		"POST /v1beta/models/gemini-2.5-flash:streamGenerateContent canary-key", "DELETE /v1beta/files/abc canary-key",
	}
	if !slices.Equal(u.log, want) {
		t.Errorf("asked\n%s\nwant\n%s", strings.Join(u.log, "\n"), strings.Join(want, "\n"))
	}
	if len(u.sizes) != 1 || u.sizes[0] != 12<<20+1 {
		t.Errorf("sent files of %v bytes, want one, once", u.sizes)
	}
	const address = `{"fileData":{"mimeType":"video/mp4","fileUri":"https://files.test/abc"}}`
	if strings.Count(u.body, address) != 2 || !strings.Contains(u.body, `"inlineData":{"mimeType":"image/png","data":"eQ=="}`) {
		t.Errorf("sent %.400s, want the large file by its address and the small one as it is", u.body)
	}
}

func TestUpload_Errors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, model string
		place       *uploads
		kind        fault.Kind
		text        string
	}{
		{"it cannot be read", "flash", &uploads{state: "FAILED"}, fault.Invalid, "video/mp4"},
		{"it is never looked through", "flash", &uploads{state: "PROCESSING"}, fault.Timeout, "in time"},
		{"TestT30_UploadElsewhere", "flash", &uploads{place: "http://evil.test"}, fault.Unavailable, "another host"},
		{"the cloud has no such place", "cloud", &uploads{}, fault.Invalid, "12 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u := tt.place
			s := setup(t, u.start(t))
			_, err := llm.Collect(open(t, s).Stream(t.Context(), large(tt.model)))
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v (%v), want %v %q", err, fault.KindOf(err), tt.kind, tt.text)
			}
			if len(u.log) > 0 && tt.place.place == "" && !strings.HasPrefix(u.log[len(u.log)-1], "DELETE") {
				t.Errorf("the last of\n%s\nis no removal of the file", strings.Join(u.log, "\n"))
			}
			if u.body != "" {
				t.Error("the model was asked without the file")
			}
		})
	}
}
