package llms_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/scope"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// painter makes the images that it was given.
type painter struct {
	script
	images []llm.Image
	calls  []*llm.ImageCall
}

func (p *painter) MakeImages(_ context.Context, call *llm.ImageCall) iter.Seq2[llm.Part, error] {
	p.calls = append(p.calls, call)
	return func(yield func(llm.Part, error) bool) {
		if p.fail != nil {
			yield(nil, p.fail)
			return
		}
		for _, img := range p.images {
			if !yield(img, nil) {
				return
			}
		}
		yield(llm.Finish{Reason: llm.Stop}, nil)
	}
}

// draw calls ImageGenerator with a model of a provider.
func draw(t testing.TB, p *painter, provider, model, settings string, values ...value.Value) (value.Value, error, *trial) {
	t.Helper()
	c := &trial{
		typ: "ImageGenerator", settings: `{"model":{"provider":"` + provider + `","modelId":"` + model + `","credentials":"none"}` + settings + `}`,
		services: services(t, nil, connector.Opened{ID: provider, Connector: p}),
		inputs:   []component.NodePort{{Name: "Prompt"}, {Name: "Images", Type: "Binary"}}, values: make([]value.Value, 2), outputs: []component.NodePort{{Name: "Output", Default: true}},
	}
	copy(c.values, values)
	out, err := c.run(t)
	return out, err, c
}

func TestImageGenerator_Settings(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, provider, model, settings, want string }{
		{"GPT Image", "OpenAI", "gpt-image-1", `,"quality":"high","outputFormat":"webp"`, `a cat auto high  {"output_format":"webp"}`},
		{"DALL-E 3", "OpenAI", "dall-e-3", `,"sizeDalle3":"1792x1024"`, `a cat 1792x1024 standard vivid `},
		{"DALL-E 3, raw", "OpenAI", "dall-e-3", `,"isRawInputPrompt":true`, `Use this prompt exactly as it is, without adding anything to it: a cat 1024x1024 standard vivid `},
		{"DALL-E 2", "OpenAI", "dall-e-2", ``, `a cat 256x256   `},
		{"Google", "GoogleAI", "imagen-4", `,"aspectRatio":"16:9"`, `a cat    {"aspectRatio":"16:9","personGeneration":"allow_adult"}`},
		{"Runware", "Runware", "flux", `,"width":512,"negativePrompt":"no {{Prompt}}"`, `a cat    {"width":512,"height":1024,"negativePrompt":"no it","outputFormat":"JPEG","strength":0.5}`},
	}
	for _, tt := range tests {
		p := &painter{images: []llm.Image{{URL: "https://x.test/1.png"}}}
		out, err, _ := draw(t, p, tt.provider, tt.model, `,"prompt":"a cat"`+tt.settings, value.Of("it"))
		if err != nil || out.JSON() != `{"Output":"https://x.test/1.png"}` {
			t.Errorf("%s: %s, %v", tt.name, out.JSON(), err)
			continue
		}
		r := p.calls[0].ImageRequest
		extra := ""
		if !r.Extra.IsNil() {
			extra = r.Extra.JSON()
		}
		if got := strings.Join([]string{r.Prompt, r.Size, r.Quality, r.Style, extra}, " "); got != tt.want || r.Count != 1 {
			t.Errorf("%s: asked for %d of %s, want %s", tt.name, r.Count, got, tt.want)
		}
	}
}

func TestImageGenerator_Output(t *testing.T) {
	t.Parallel()
	p := &painter{images: []llm.Image{{Data: []byte("\x89PNG\r\n\x1a\n0123"), MIME: "image/png"}, {URL: "https://x.test/2.png"}}}
	out, err, c := draw(t, p, "OpenAI", "gpt-image-1", `,"numberOfImages":2`, value.Of("from the input"))
	if err != nil || p.calls[0].Prompt != "from the input" || p.calls[0].Count != 2 {
		t.Fatalf("%s, %v, asked for %+v", out.JSON(), err, p.calls)
	}
	file := out.Get("Output").At(0)
	if file.GetString("mimetype") != "image/png" || !strings.HasPrefix(file.GetString("url"), "smythfs://") || out.Get("Output").At(1).Text() != "https://x.test/2.png" {
		t.Errorf("out = %s, want a file and an address", out.JSON())
	}
	name := "teams/" + strings.TrimPrefix(strings.Replace(file.GetString("url"), ".team/", "/", 1), "smythfs://")
	if data, err := scope.New(c.services, candidate(t)).Storage().Read(t.Context(), name); err != nil || !strings.HasPrefix(string(data), "\x89PNG") {
		t.Errorf("the file %s holds %q, %v", name, data, err)
	}
}

func TestImageGenerator_Refuses(t *testing.T) {
	t.Parallel()
	png, text := value.Of("data:image/png;base64,"+dot), value.Of("data:text/plain;base64,aGVsbG8=")
	tests := []struct {
		name, model, settings string
		values                []value.Value
		fail                  error
		want                  string
	}{
		{"nothing to draw", "gpt-image-1", ``, nil, nil, "Please provide a prompt or Image"},
		{"no image", "gpt-image-1", `,"prompt":"p"`, []value.Value{{}, text}, nil, "Supported image file types are: image/png"},
		{"DALL-E with an image", "dall-e-3", `,"prompt":"p"`, []value.Value{{}, png}, nil, "does not change images"},
		{"refused", "gpt-image-1", `,"prompt":"p"`, nil, llm.Refused(400, "not that"), "Generating Image(s)\n400 not that"},
		{"no answer", "gpt-image-1", `,"prompt":"p"`, nil, nil, "sent no image"},
	}
	for _, tt := range tests {
		p := &painter{}
		p.fail = tt.fail
		if out, err, _ := draw(t, p, "OpenAI", tt.model, tt.settings, tt.values...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %s, %v, want %q", tt.name, out.JSON(), err, tt.want)
		}
	}
	if _, err, _ := draw(t, &painter{}, "Runware", "flux", `,"prompt":"p","width":200`); err == nil || !strings.Contains(err.Error(), "multiple of 64") {
		t.Errorf("a strange width: %v", err)
	}
	p := &painter{images: []llm.Image{{URL: "u"}}}
	if _, err, _ := draw(t, p, "OpenAI", "gpt-image-1", `,"prompt":"p"`, value.Value{}, png); err != nil || len(p.calls[0].Files) != 1 {
		t.Errorf("a change: %v", err)
	}
}
