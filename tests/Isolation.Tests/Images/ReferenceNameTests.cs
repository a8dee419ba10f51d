using FluentAssertions;
using Isolation.Images.Storage;
using Xunit;

namespace Isolation.Tests.Images;

public class ReferenceNameTests
{
    [Theory]
    [InlineData("busybox", "busybox:latest")]
    [InlineData("busybox:1.36", "busybox:1.36")]
    [InlineData("docker.io/library/busybox", "busybox:latest")]
    [InlineData("library/busybox", "busybox:latest")]
    [InlineData("index.docker.io/owner/app:v1", "owner/app:v1")]
    [InlineData("ghcr.io/owner/app_x:V1.2-rc", "ghcr.io/owner/app_x:V1.2-rc")]
    [InlineData("localhost:5000/a/b/c", "localhost:5000/a/b/c:latest")]
    public void Names_have_one_form(string name, string expected) => ReferenceName.TryNormalize(name).Should().Be(expected);

    [Theory]
    [InlineData("")]
    [InlineData("Busybox")]
    [InlineData("a b")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("a:")]
    [InlineData("a:b\n")]
    [InlineData("a@sha256:00")]
    [InlineData("-a")]
    [InlineData("a//b")]
    public void What_is_no_name_is_refused(string name) => ReferenceName.TryNormalize(name).Should().BeNull();
}
