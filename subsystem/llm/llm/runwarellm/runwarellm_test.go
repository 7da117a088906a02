package runwarellm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/egress"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/testmodel"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/subsystem/llm/llm/runwarellm"
	"github.com/sre-go/sre/value"
)

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func server(t testing.TB, script string) *testmodel.Server {
	t.Helper()
	rules, err := testmodel.ParseScript(parse(t, script))
	if err != nil {
		t.Fatal(err)
	}
	s, err := testmodel.Start(t.Context(), rules, effect.System{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func open(t testing.TB, base string, way http.RoundTripper) *llm.Handle {
	t.Helper()
	c, err := egress.New(egress.Policy{AllowPrivate: true}, limits.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	if way != nil {
		c = &http.Client{Transport: way}
	}
	entry := fmt.Sprintf(`{"provider":"Runware","modelId":"runware:100@1","baseURL":%q,"credentials":`, base)
	s := llmtest.Setup{HTTP: c, Effects: hurried{}, Models: parse(t, `{"flux":`+entry+`{"apiKey":"canary"}},"keyless":`+entry+`"vault"}}`)}
	return llmtest.Open(t, s, map[string]connector.Definition{"Runware": runwarellm.Definition}, nil).As(t, "agent:helper")
}

// hurried is the source of the system, but for waits.
type hurried struct{ effect.System }

func (hurried) Sleep(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }

var uuids = regexp.MustCompile(`"taskUUID":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",`)

func TestRequest(t *testing.T) {
	t.Parallel()
	const model, rest = `"model":"runware:100@1","numberResults":`, `"positivePrompt":"a cat"`
	picture := llm.File{MIME: "image/png", Data: []byte("x")}
	tests := []struct {
		name string
		req  llm.ImageRequest
		want string
	}{
		{"plain", llm.ImageRequest{}, `[{"height":1024,` + model + `1,"outputFormat":"JPG","outputType":"URL",` + rest + `,"taskType":"imageInference","width":1024}]`},
		{"size and count", llm.ImageRequest{Size: "512x768", Count: 3}, `[{"height":768,` + model + `3,"outputFormat":"JPG","outputType":"URL",` + rest + `,"taskType":"imageInference","width":512}]`},
		{"a change", llm.ImageRequest{Files: []llm.File{picture}, Mask: &picture, Extra: parse(t, `{"strength":0.7}`)},
			`[{"height":1024,"maskImage":"data:image/png;base64,eA==",` + model + `1,"outputFormat":"JPG","outputType":"URL",` + rest + `,"seedImage":"data:image/png;base64,eA==","strength":0.7,"taskType":"imageInference","width":1024}]`},
		{"what only this one knows", llm.ImageRequest{Extra: parse(t, `{"negativePrompt":"dog","strength":0.7,"width":128,"outputFormat":"jpeg","outputType":"base64Data","taskType":"imageUpload","taskUUID":"mine"}`)},
			`[{"height":1024,"model":"runware:100@1","negativePrompt":"dog","numberResults":1,"outputFormat":"JPG","outputType":"base64Data",` + rest + `,"taskType":"imageInference","width":128}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := server(t, `[{"reply":{"text":"cat"}}]`)
			tt.req.Model, tt.req.Prompt = "flux", "a cat"
			got, err := llm.Collect(open(t, s.Root()+"/v1/", nil).MakeImages(t.Context(), tt.req))
			if err != nil {
				t.Fatal(err)
			}
			sent := s.Requests().At(0)
			body := sent.Get("body").Canonical()
			if !uuids.MatchString(body) {
				t.Errorf("sent %s, want a UUID", body)
			}
			if body = uuids.ReplaceAllString(body, ""); body != tt.want {
				t.Errorf("sent\n%s\nwant\n%s", body, tt.want)
			}
			if key := sent.GetString("authorization"); key != "Bearer canary" {
				t.Errorf("the key arrived as %q", key)
			}
			count := max(1, tt.req.Count)
			if len(got.Images) != count || got.Usage.Images != count || got.Finish.Reason != llm.Stop || got.Finish.Model != "flux" {
				t.Fatalf("answer = %+v, want %d pictures", got, count)
			}
			switch i := got.Images[0]; {
			case strings.Contains(tt.want, "base64Data") && (i.URL != "" || i.MIME != "image/png" || !strings.HasSuffix(string(i.Data), "cat")),
				!strings.Contains(tt.want, "base64Data") && (i.Data != nil || i.URL != "https://im.runware.test/fake.jpg"):
				t.Errorf("picture = %+v", i)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	refused := func(status int, code, message string) string {
		return fmt.Sprintf(`[{"reply":{"error":{"status":%d,"type":%q,"message":%q}}}]`, status, code, message)
	}
	inside := func(body string) string {
		return value.List(value.Obj(value.M("reply", value.Obj(value.M("body", value.Of(body)), value.M("content_type", value.Of("application/json")))))).JSON()
	}
	tests := []struct {
		name, script string
		req          llm.ImageRequest
		kind         fault.Kind
		text         string
		images       int
	}{
		{"refused", refused(400, "invalidPositivePrompt", "too short"), llm.ImageRequest{}, fault.Invalid, "400 too short", 0},
		{"wrong key", refused(400, "invalidApiKey", "no such key"), llm.ImageRequest{}, fault.Unauthenticated, "sre vault set runware", 0},
		{"no rights", refused(403, "", "forbidden"), llm.ImageRequest{}, fault.Unauthenticated, "sre vault set runware", 0},
		{"no credit", refused(402, "insufficientCredits", "pay"), llm.ImageRequest{}, fault.Invalid, "no credit", 0},
		{"no such model", refused(404, "invalidModel", "unknown"), llm.ImageRequest{}, fault.NotFound, "runware:100@1", 0},
		{"busy", refused(429, "", "slow"), llm.ImageRequest{}, fault.RateLimited, "slow", 0},
		{"broken", refused(500, "", "oops"), llm.ImageRequest{}, fault.Unavailable, "oops", 0},
		{"no connection", `[{"reply":{"close":true}}]`, llm.ImageRequest{}, fault.Unavailable, "Connection error.", 0},
		{"an error inside", inside(`{"data":[{"imageURL":"https://a.test/1"}],"errors":[{"code":"timeoutProvider","message":"late"}]}`), llm.ImageRequest{}, fault.Unavailable, "late", 1},
		{"a mistake inside", inside(`{"errors":[{"code":"invalidModel","message":"unknown"}]}`), llm.ImageRequest{}, fault.Invalid, "runware:100@1", 0},
		{"no picture", inside(`{"data":[]}`), llm.ImageRequest{}, fault.Unavailable, "no picture", 0},
		{"a picture that is none", inside(`{"data":[{"imageBase64Data":"%"}]}`), llm.ImageRequest{}, fault.Unavailable, "is none", 0},
		{"no size", `[]`, llm.ImageRequest{Size: "big"}, fault.Invalid, "1024x768", 0},
		{"a film", `[]`, llm.ImageRequest{Files: []llm.File{{MIME: "video/mp4"}}}, fault.Invalid, "video/mp4", 0},
		{"two pictures", `[]`, llm.ImageRequest{Files: []llm.File{{MIME: "image/png"}, {MIME: "image/png"}}}, fault.Invalid, "one image", 0},
		{"no key", `[]`, llm.ImageRequest{Model: "keyless"}, fault.Unauthenticated, "store the key runware", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := server(t, tt.script)
			if tt.req.Prompt = "a cat"; tt.req.Model == "" {
				tt.req.Model = "flux"
			}
			got, err := llm.Collect(open(t, s.Root()+"/v1", nil).MakeImages(t.Context(), tt.req))
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) || len(got.Images) != tt.images {
				t.Errorf("error = %v (%v) after %d pictures, want %v %q after %d", err, fault.KindOf(err), len(got.Images), tt.kind, tt.text, tt.images)
			}
		})
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	_, err := open(t, "http://provider.test", nil).Generate(t.Context(), llm.Request{Model: "flux", Messages: []llm.Message{llm.Say(llm.User, "x")}})
	if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "ImageGenerator") {
		t.Errorf("error = %v, want kind %v", err, fault.Unsupported)
	}
}

// A caller that goes away ends the request at the provider, also while it makes the picture.
func TestF11_ClientGone(t *testing.T) {
	t.Parallel()
	rules, err := testmodel.ParseScript(parse(t, `[{"reply":{"text":"cat","stall":true}}]`))
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	s, err := testmodel.Serve(t.Context(), testmodel.Config{Script: rules, Effects: effect.System{}, Seen: func(testmodel.Exchange) { cancel(gone) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := llm.Collect(open(t, s.Root()+"/v1", nil).MakeImages(ctx, llm.ImageRequest{Model: "flux", Prompt: "a cat"})); !errors.Is(err, gone) {
		t.Errorf("error = %v, want %v", err, gone)
	}
	s.Close() // waits for the handler, which waits for the client to go
}

const recorded = `{"data":[{"taskType":"imageInference","taskUUID":"a","imageUUID":"b","imageURL":"https://im.runware.ai/image/ws/2/ii/b.jpg","NSFWContent":false},{"imageURL":"https://im.runware.ai/image/ws/2/ii/c.jpg"}]}`

// way answers with bytes and then with an error.
type way struct {
	mu   sync.Mutex
	data string
	err  error
}

func (w *way) set(data string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data, w.err = data, err
}

// RoundTrip implements [http.RoundTripper].
func (w *way) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body := io.MultiReader(strings.NewReader(w.data), failing{w.err})
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Body: io.NopCloser(body)}, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// An answer that is cut anywhere gives no picture.
func TestF09_CutAtEveryByte(t *testing.T) {
	t.Parallel()
	w := &way{}
	h := open(t, "http://provider.test", w)
	for n := range len(recorded) {
		for _, end := range []error{io.EOF, io.ErrUnexpectedEOF} {
			w.set(recorded[:n], end)
			got, err := llm.Collect(h.MakeImages(t.Context(), llm.ImageRequest{Model: "flux", Prompt: "a cat"}))
			if !fault.Is(err, fault.Unavailable) || len(got.Images) > 0 {
				t.Fatalf("cut after %d bytes: %+v, %v, want no picture", n, got, err)
			}
		}
	}
	w.set(recorded, io.EOF)
	if got, err := llm.Collect(h.MakeImages(t.Context(), llm.ImageRequest{Model: "flux", Prompt: "a cat"})); err != nil || len(got.Images) != 2 {
		t.Errorf("the whole answer = %+v, %v, want two pictures", got, err)
	}
}

// FuzzAnswer checks that whatever is answered, pictures are told only of an answer, and its end last.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{recorded, "", "[]", `{"data":7}`, `{"data":[{"imageBase64Data":"eA=="}],"errors":[7]}`, `{"errors":[{"code":7}]}`, `"x"`} {
		f.Add(seed)
	}
	w := &way{}
	h := open(f, "http://provider.test", w)
	f.Fuzz(func(t *testing.T, body string) {
		w.set(body, io.EOF)
		finished, images := false, 0
		for p, err := range h.MakeImages(t.Context(), llm.ImageRequest{Model: "flux", Prompt: "a cat"}) {
			if finished {
				t.Fatalf("%T, %v after the end", p, err)
			}
			switch p.(type) {
			case llm.Image:
				images++
			case llm.Finish:
				if finished = true; images == 0 {
					t.Fatal("an answer without a picture is called complete")
				}
			}
		}
	})
}
