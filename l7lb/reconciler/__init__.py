"""One pass for one key: observe, translate, plan, authorise, perform. Enter by `Reconciler`."""
