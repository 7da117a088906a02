package llms

import (
	"context"
	"slices"
	"strings"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/binary"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

type imageSettings struct {
	Model  value.Value `json:"model" sre:"required" doc:"The model to ask: the id of one, or an object {provider, modelId, ...} that describes it."`
	Prompt string      `json:"prompt" sre:"allowEmpty,null,max=2000,template" doc:"What to draw, with {{placeholders}}; without it the input Prompt says it."`

	SizeDalle2 string      `json:"sizeDalle2" sre:"allowEmpty,null,enum=256x256|512x512|1024x1024" doc:"Size for DALL-E 2, 256x256 unless told."`
	SizeDalle3 string      `json:"sizeDalle3" sre:"allowEmpty,null,enum=1024x1024|1792x1024|1024x1792" doc:"Size for DALL-E 3, 1024x1024 unless told."`
	Quality    string      `json:"quality" sre:"allowEmpty,null,enum=standard|hd|auto|high|medium|low" doc:"Quality, for models of OpenAI."`
	Style      string      `json:"style" sre:"allowEmpty,null,enum=vivid|natural" doc:"Style, for DALL-E 3."`
	Raw        value.Value `json:"isRawInputPrompt" doc:"Ask DALL-E 3 not to embellish the prompt."`
	Size       string      `json:"size" sre:"allowEmpty,null,max=100" doc:"Size for GPT Image, such as 1024x1536, or auto."`

	NegativePrompt string   `json:"negativePrompt" sre:"allowEmpty,null,template" doc:"What not to draw, for Runware."`
	Width          *float64 `json:"width" sre:"min=128,max=2048" doc:"Width in pixels for Runware, a multiple of 64, 1024 unless told."`
	Height         *float64 `json:"height" sre:"min=128,max=2048" doc:"Height in pixels for Runware, a multiple of 64, 1024 unless told."`
	OutputFormat   string   `json:"outputFormat" sre:"allowEmpty,null,enum=PNG|JPEG|WEBP|auto|jpeg|png|webp" doc:"Format of the image."`
	Strength       *float64 `json:"strength" sre:"min=0,max=1" doc:"How much a given image is changed, for Runware, 0.5 unless told."`

	AspectRatio string   `json:"aspectRatio" sre:"allowEmpty,null,enum=1:1|3:4|4:3|9:16|16:9" doc:"Shape, for models of Google."`
	Persons     string   `json:"personGeneration" sre:"allowEmpty,null,enum=dont_allow|allow_adult|allow_all" doc:"Whether models of Google may draw people."`
	Count       *float64 `json:"numberOfImages" sre:"min=1,max=10" doc:"How many images to make; the output is a list when there are several."`
}

func imageGenerator() component.Definition {
	return component.Define(component.Spec{
		Name:    "ImageGenerator",
		Summary: "Makes images, or changes those it is given.",
		Doc: "Models of OpenAI, Google and Runware make images. With files in the input `Images` they are changed by the prompt, where the model can do " +
			"that. `Output` is a file, or the address of one where the provider keeps it.",
		Category: component.Models,
		Inputs:   []component.Port{{Name: "Prompt", Optional: true, Doc: "What to draw."}, {Name: "Images", Type: "Binary", Optional: true, Doc: "Images to change."}},
		Outputs:  []component.Port{{Name: "Output", Doc: "The image."}},
	}, runImage)
}

func runImage(ctx context.Context, call *component.Call, s *imageSettings, in component.Input) (value.Value, error) {
	if call.Logs() {
		call.LogDebug("=== Image Generator Log ===")
		call.LogDebug(" Model : " + modelName(s.Model))
	}
	a := &asking{call: call, in: in}
	if err := a.choose(ctx, s.Model); err != nil {
		return value.Value{}, err
	}
	req, err := a.imageRequest(ctx, s)
	if err != nil {
		return value.Value{}, err
	}
	if call.Logs() {
		call.LogDebug(" Prompt\n", req.Prompt, "\n")
	}
	answer, err := llm.Collect(call.LLM().MakeImages(ctx, req))
	if err != nil {
		return value.Value{}, &fault.Error{Kind: fault.KindOf(err), Code: fault.CodeOf(err), Err: &failure{"Generating Image(s)\n" + plainly(err).Error(), err}}
	}
	out, err := keepImages(ctx, call, answer.Images)
	return value.Obj(value.M("Output", out)), err
}

func (a *asking) imageRequest(ctx context.Context, s *imageSettings) (llm.ImageRequest, error) {
	req := llm.ImageRequest{Model: a.model, Inline: a.inline, Count: max(whole(s.Count), 1)}
	var err error
	if req.Prompt, err = expand(s.Prompt, a); err != nil {
		return req, err
	}
	if strings.TrimSpace(req.Prompt) == "" {
		req.Prompt = a.in.Get("Prompt").Plain()
	}
	given, err := readFiles(ctx, a, a.in.Get("Images"), "Images")
	if err != nil {
		return req, err
	}
	if strings.TrimSpace(req.Prompt) == "" && len(given) == 0 {
		return req, fault.Newf(fault.Invalid, "Please provide a prompt or Image")
	}
	for _, f := range given {
		if !slices.Contains(drawable(), f.MIME) {
			return req, fault.Newf(fault.Invalid, "Supported image file types are: %s", strings.Join(drawable(), ", "))
		}
		req.Files = append(req.Files, llm.File{MIME: f.MIME, Name: f.Name, Data: f.Data})
	}
	return req, a.shape(s, &req)
}

// drawable are the types of images that can be changed.
func drawable() []string { return []string{"image/png", "image/jpeg", "image/jpg", "image/webp"} }

// shape sets what the family of the model takes: each has settings of its own.
func (a *asking) shape(s *imageSettings, req *llm.ImageRequest) error {
	name := strings.ToLower(strings.TrimPrefix(a.info.Model.ModelID, "smythos/"))
	extra := value.NewBuilder(5)
	switch provider := strings.ToLower(a.info.Model.Provider); {
	case provider == "runware":
		if err := runware(s, extra, a); err != nil {
			return err
		}
	case provider == "googleai" || provider == "vertexai" || strings.Contains(name, "imagen"):
		text(extra, "aspectRatio", or(s.AspectRatio, "1:1"))
		text(extra, "personGeneration", or(s.Persons, "allow_adult"))
	case strings.HasPrefix(name, "dall-e"):
		if len(req.Files) > 0 {
			return fault.Hint(fault.Newf(fault.Invalid, "the model %q does not change images", a.model), "leave Images empty, or set model to gpt-image-1")
		}
		req.Size = or(s.SizeDalle2, "256x256")
		if strings.HasPrefix(name, "dall-e-3") {
			req.Size, req.Quality, req.Style = or(s.SizeDalle3, "1024x1024"), or(s.Quality, "standard"), or(s.Style, "vivid")
			if s.Raw.Truthy() {
				req.Prompt = "Use this prompt exactly as it is, without adding anything to it: " + req.Prompt
			}
		}
	default:
		req.Size, req.Quality = or(s.Size, "auto"), or(s.Quality, "auto")
		if f := strings.ToLower(s.OutputFormat); f != "" && f != "auto" {
			text(extra, "output_format", f)
		}
	}
	if extra.Len() > 0 {
		req.Extra = extra.Build()
	}
	return nil
}

// runware adds the settings of Runware.
func runware(s *imageSettings, extra *value.Builder, a *asking) error {
	negative, err := expand(s.NegativePrompt, a)
	if err != nil {
		return err
	}
	for _, side := range []struct {
		name string
		n    *float64
	}{{"width", s.Width}, {"height", s.Height}} {
		n := 1024
		if side.n != nil {
			n = whole(side.n)
		}
		if n%64 != 0 {
			return fault.Newf(fault.Invalid, "%s is to be a multiple of 64, not %d", side.name, n)
		}
		extra.Set(side.name, value.OfInt(n))
	}
	text(extra, "negativePrompt", negative)
	format := strings.ToUpper(s.OutputFormat)
	if format == "" || format == "AUTO" {
		format = "JPEG"
	}
	text(extra, "outputFormat", format)
	strength := 0.5
	if s.Strength != nil {
		strength = *s.Strength
	}
	extra.Set("strength", value.OfNumber(strength))
	return nil
}

func or(text, usual string) string {
	if text == "" {
		return usual
	}
	return text
}

// keepImages stores images and returns their files; those that the provider keeps are passed on by address.
func keepImages(ctx context.Context, call *component.Call, images []llm.Image) (value.Value, error) {
	var out []value.Value
	for _, img := range images {
		if len(img.Data) == 0 {
			out = append(out, value.Of(img.URL))
			continue
		}
		kept, err := binary.Store(ctx, call, binary.Make(call, img.MIME, img.Data))
		if err != nil {
			return value.Value{}, err
		}
		out = append(out, kept)
	}
	switch len(out) {
	case 0:
		return value.Value{}, fault.Newf(fault.Unavailable, "Generating Image(s)\nthe provider sent no image")
	case 1:
		return out[0], nil
	}
	return value.OfItems(out), nil
}
