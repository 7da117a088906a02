package googlellm

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// maxImages bounds how many pictures one call makes.
const maxImages = 10

// MakeImages implements [llm.ImageMaker]: models of Imagen make new pictures, those of Gemini also change given ones.
func (c *client) MakeImages(ctx context.Context, call *llm.ImageCall) iter.Seq2[llm.Part, error] {
	return func(yield func(llm.Part, error) bool) {
		to, err := c.route(ctx, &call.Target, call.Credential)
		if err == nil {
			if drawsItself(call) {
				err = c.imagen(to, call, yield)
			} else {
				err = c.draw(to, call, yield)
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// drawsItself reports whether a model only makes pictures, which have an interface of their own.
func drawsItself(call *llm.ImageCall) bool {
	switch call.Target.Interface {
	case "generateContent":
		return false
	case "generateImages":
		return true
	}
	return strings.Contains(call.Target.ModelID, "imagen")
}

// shape is what a picture is to be like: "16:9" and "2K" as the provider writes them, or a size in pixels.
func shape(call *llm.ImageCall) *value.Builder {
	b := value.NewBuilder(4)
	w, h, pixels := strings.Cut(strings.ToLower(call.Size), "x")
	switch {
	case call.Size == "":
	case pixels:
		x, errX := strconv.Atoi(w)
		y, errY := strconv.Atoi(h)
		if errX == nil && errY == nil && x > 0 && y > 0 {
			d := divisor(x, y)
			b.Set("aspectRatio", value.Of(strconv.Itoa(x/d)+":"+strconv.Itoa(y/d)))
		}
	case strings.Contains(call.Size, ":"):
		b.Set("aspectRatio", value.Of(call.Size))
	default:
		b.Set("imageSize", value.Of(call.Size))
	}
	return b
}

func divisor(x, y int) int {
	for y != 0 {
		x, y = y, x%y
	}
	return x
}

// imagen asks a model of Imagen, see https://ai.google.dev/gemini-api/docs/imagen.
func (c *client) imagen(to *route, call *llm.ImageCall, yield func(llm.Part, error) bool) error {
	if len(call.Files) > 0 || call.Mask != nil {
		err := fault.Newf(fault.Unsupported, "Image editing is not supported for model: %s", call.Target.ID)
		return fault.Hint(err, "models of Gemini with image in their name change pictures")
	}
	parameters := shape(call).Set("sampleCount", value.OfInt(max(1, min(call.Count, maxImages))))
	for _, m := range call.Extra.Members() {
		parameters.Set(m.Key, m.Value)
	}
	answer, err := to.Ask(to.ctx, to.model+":predict", to.header, value.Obj(
		value.M("instances", value.List(value.Obj(value.M("prompt", value.Of(call.Prompt))))), value.M("parameters", parameters.Build()),
	))
	if err != nil {
		return err
	}
	reason, images := "", 0
	for _, p := range answer.Get("predictions").Items() {
		if filtered := p.GetString("raiFilteredReason"); filtered != "" {
			reason = filtered
			continue
		}
		if !p.Has("bytesBase64Encoded") {
			continue
		}
		picture, err := image(p.GetString("mimeType"), p.GetString("bytesBase64Encoded"))
		if err != nil {
			return err
		}
		picture.Prompt = p.GetString("prompt")
		images++
		if !yield(picture, nil) {
			return nil
		}
	}
	return drawn(llm.Usage{Images: images}, "STOP", reason, yield)
}

// drawn tells what was used and why there are no more pictures. Without any, why is an error: nobody asked for none.
func drawn(used llm.Usage, raw, filtered string, yield func(llm.Part, error) bool) error {
	if used.Images == 0 {
		if used != (llm.Usage{}) && !yield(used, nil) {
			return nil
		}
		if filtered == "" {
			filtered = "the provider made no picture and did not say why"
		}
		return fault.Hint(fault.New(fault.Invalid, &llm.ProviderError{Message: filtered}), "word the prompt differently")
	}
	if yield(used, nil) {
		yield(llm.Finish{Reason: llm.Stop, Raw: raw}, nil)
	}
	return nil
}

// draw asks a model of Gemini, which makes one picture at a time, see https://ai.google.dev/gemini-api/docs/image-generation.
func (c *client) draw(to *route, call *llm.ImageCall, yield func(llm.Part, error) bool) error {
	m := llm.Message{Role: llm.User, Content: []llm.Content{llm.Text{Text: call.Prompt}}}
	for _, f := range call.Files {
		m.Content = append(m.Content, f)
	}
	if call.Mask != nil {
		m.Content = append(m.Content, *call.Mask)
	}
	sent, done, err := c.files(to, []llm.Message{m})
	if err != nil {
		return err
	}
	defer done()
	w := writer{cloud: c.cloud, files: sent}
	parts, err := w.parts(m, false)
	if err != nil {
		return err
	}
	body := value.NewBuilder(3).Set("contents", value.List(value.Obj(value.M("role", value.Of("user")), value.M("parts", value.OfItems(parts)))))
	config := value.NewBuilder(2).Set("responseModalities", value.Strings([]string{"TEXT", "IMAGE"}))
	picture := shape(call)
	var rest []value.Member
	for _, m := range call.Extra.Members() {
		switch m.Key {
		case "aspectRatio", "imageSize":
			picture.Set(m.Key, m.Value)
		case "personGeneration", "numberOfImages", "sampleCount": // of Imagen alone
		default:
			rest = append(rest, m)
		}
	}
	if picture.Len() > 0 {
		config.Set("imageConfig", picture.Build())
	}
	extend(body, config, value.OfMembers(rest))
	request := body.Set("generationConfig", config.Build()).Build()
	var used llm.Usage
	last, said := "", ""
	for range max(1, min(call.Count, maxImages)) {
		answer, err := to.Ask(to.ctx, to.model+":generateContent", to.header, request)
		if err != nil {
			return err
		}
		stopped := false
		r := reader{env: c.env, yield: func(p llm.Part, err error) bool {
			switch p := p.(type) {
			case llm.Image:
				stopped = !yield(p, err)
			case llm.Text:
				said += p.Text
			}
			return !stopped
		}}
		if _, err := r.read(answer); err != nil || stopped {
			return err
		}
		if r.reason == "" {
			return nil // not complete
		}
		r.used.Images = r.images
		used, last = used.Add(r.used), r.reason
	}
	if said == "" && last != "STOP" {
		said = "the provider made no picture: " + last
	}
	return drawn(used, last, said, yield)
}
