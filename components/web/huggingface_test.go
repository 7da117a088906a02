package web

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// toTarget sends requests for one host to the target of the test.
type toTarget struct {
	w    *world
	host string
}

func (to toTarget) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.URL.Host != to.host {
		to.w.t.Errorf("asked %s, want the host %s", r.URL, to.host)
	}
	u, err := url.Parse(to.w.url)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = u.Scheme, u.Host, u.Host
	return to.w.client.Transport.RoundTrip(r)
}

// hug calls the component with a task.
func (w *world) hug(task, settings, inputs string) (value.Value, error) {
	w.t.Helper()
	s := parse(w.t, `{"accessToken":"{{KEY(hf)}}","modelName":"owner/name","modelTask":"`+task+`"`+settings+`}`)
	inst := huggingFaceType().Compile(s)
	if len(inst.Violations) > 0 {
		w.t.Fatalf("settings: %v", inst.Violations)
	}
	var in component.Input
	for _, m := range parse(w.t, inputs).Members() {
		in.Ports, in.Values = append(in.Ports, component.NodePort{Name: m.Key}), append(in.Values, m.Value)
	}
	call := &component.Call{
		Scope: w.scope(), Node: &component.Node{ID: "H", Settings: s}, Agent: &component.Agent{ID: "one", Team: "red"}, Effects: effect.System{},
		HTTP: &http.Client{Transport: toTarget{w, huggingFaceHost}}, KeepLog: true,
	}
	out, err := inst.Run(w.t.Context(), call, in)
	if strings.Contains(call.LogText(), "canary-hf-0123456789") {
		w.t.Errorf("the log holds the token: %s", call.LogText())
	}
	return out, err
}

func TestHuggingFace_Tasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write([]byte(`[{"label":"good"}]`))
	})
	w.secrets["hf"] = secret.New("canary-hf-0123456789")
	picture := base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n0123"))
	image := `{"Image":"data:image/png;base64,` + picture + `","Question":"what"}`
	tests := []struct{ task, settings, inputs, body string }{
		{"text-classification", ``, `{"Text":"say \"{{KEY(hf)}}\""}`, `{"inputs":"say \"{{KEY(hf)}}\""}`},
		{"summarization", `,"parameters":"{\"max_length\":\"20\",\"deep\":\"none\",\"word\":\"{{Text}}\"}","disableCache":true`, `{"Text":"long"}`,
			`{"inputs":"long","parameters":{"max_length":20,"word":"long"},"options":{"use_cache":false}}`},
		{"question-answering", ``, `{"Question":"q","Context":"c"}`, `{"inputs":{"question":"q","context":"c"}}`},
		{"table-question-answering", ``, `{"Query":"q","Table":"{\"a\":[\"1\"]}"}`, `{"inputs":{"query":"q","table":{"a":["1"]}}}`},
		{"sentence-similarity", ``, `{"Source_sentence":"a","Sentences":["b","c"]}`, `{"inputs":{"source_sentence":"a","sentences":["b","c"]}}`},
		{"conversational", ``, `{"Text":"hi"}`, `{"inputs":{"text":"hi"}}`},
		{"visual-question-answering", ``, image, `{"inputs":{"image":"` + picture + `","question":"what"}}`},
		{"image-classification", ``, image, "\x89PNG\r\n\x1a\n0123"},
	}
	for _, tt := range tests {
		out, err := w.hug(tt.task, tt.settings, tt.inputs)
		if err != nil || out.JSON() != `{"Output":[{"label":"good"}]}` {
			t.Errorf("%s: %s, %v", tt.task, out.JSON(), err)
			continue
		}
		got := w.last()
		if got.body != tt.body || got.uri != "/hf-inference/models/owner/name" || got.header.Get("Authorization") != "Bearer canary-hf-0123456789" {
			t.Errorf("%s: asked %s with %s, want %s", tt.task, got.uri, got.body, tt.body)
		}
	}
}

func TestHuggingFace_File(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "image/png")
		_, _ = rw.Write([]byte("\x89PNG\r\n\x1a\n0123"))
	})
	w.secrets["hf"] = secret.New("canary-hf-0123456789")
	out, err := w.hug("text-to-image", ``, `{"Text":"a cat"}`)
	if err != nil || out.Get("Output").GetString("mimetype") != "image/png" {
		t.Errorf("out = %s, %v, want a file", out.JSON(), err)
	}
}

func TestHuggingFace_Refuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusUnauthorized)
		_, _ = rw.Write([]byte(`{"error":"bad token"}`))
	})
	w.secrets["hf"] = secret.New("canary-hf-0123456789")
	tests := []struct {
		name, task, settings, inputs, want string
		kind                               fault.Kind
	}{
		{"unknown task", "mind-reading", ``, `{"Text":"x"}`, "Inference API does not support for this task - Mind Reading", fault.Unsupported},
		{"no input", "translation", ``, `{}`, "needs the input Text", fault.Invalid},
		{"no JSON", "translation", `,"parameters":"{"`, `{"Text":"x"}`, "parameters is no JSON", fault.Invalid},
		{"bad token", "translation", ``, `{"Text":"x"}`, "Error from Hugging Face: \nbad token", fault.Unauthenticated},
	}
	for _, tt := range tests {
		if out, err := w.hug(tt.task, tt.settings, tt.inputs); !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %s, %v, want %q", tt.name, out.JSON(), err, tt.want)
		}
	}
	if n := w.count(); n != 1 {
		t.Errorf("the service was asked %d times, want once: what it refused it refuses again", n)
	}
}

// loading answers that the model is being loaded, so many times.
type loading struct{ left int }

func (l *loading) RoundTrip(*http.Request) (*http.Response, error) {
	rec := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody}
	if l.left--; l.left >= 0 {
		rec.StatusCode = http.StatusServiceUnavailable
	}
	return rec, nil
}

// A model that is being loaded is asked again, after five and after ten seconds.
func TestHuggingFace_Loading(t *testing.T) {
	t.Parallel()
	for busy, want := range map[int]struct {
		wait time.Duration
		ok   bool
	}{0: {0, true}, 1: {5 * time.Second, true}, 2: {15 * time.Second, true}, 3: {15 * time.Second, false}} {
		synctest.Test(t, func(t *testing.T) {
			s := &huggingFaceSettings{AccessToken: "token", ModelName: "m", ModelTask: "translation"}
			call := &component.Call{Node: &component.Node{}, Effects: effect.System{}, HTTP: &http.Client{Transport: &loading{busy}}}
			in := component.Input{Ports: []component.NodePort{{Name: "Text"}}, Values: []value.Value{value.Of("x")}}
			start := effect.System{}.Now()
			_, err := runHuggingFace(context.Background(), call, s, in)
			if took := (effect.System{}).Now().Sub(start); took != want.wait || (err == nil) != want.ok {
				t.Errorf("busy %d times: %v after %s, want %s", busy, err, took, want.wait)
			}
		})
	}
}
