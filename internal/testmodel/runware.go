package testmodel

import "github.com/sre-go/sre/value"

// runwareOf returns the protocol of Runware, which has one address and takes a list of tasks. The model is that of the first
// one; every task is answered with as many pictures as it wants, by address or made of the text as those of Imagen are.
func runwareOf(path string) (protocol, bool) {
	var tasks []value.Value
	return protocol{
		read: func(body value.Value) exchange {
			x := exchange{}
			tasks = body.Items()
			for _, t := range tasks {
				x.model = t.GetString("model")
				x.add("user", t.GetString("positivePrompt"))
			}
			return x
		},
		whole: func(u utterance) value.Value {
			var data []value.Value
			for _, t := range tasks {
				for range max(1, whole(t.Get("numberResults"), 1)) {
					b := value.NewBuilder(4).Set("taskType", t.Get("taskType")).Set("taskUUID", t.Get("taskUUID")).Set("imageUUID", value.Of("fake"))
					if t.GetString("outputType") == "URL" {
						b.Set("imageURL", value.Of("https://im.runware.test/fake.jpg"))
					} else {
						b.Set("imageBase64Data", value.Of(picture(u.text)))
					}
					data = append(data, b.Build())
				}
			}
			return value.Obj(value.M("data", value.OfItems(data)))
		},
		fail: func(failure value.Value) value.Value {
			return value.Obj(value.M("errors", value.List(value.Obj(value.M("code", failure.Get("type")), value.M("message", failure.Get("message"))))))
		},
	}, path == version
}
